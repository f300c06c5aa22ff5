#!/bin/sh
# GLib reads a daylight offset of zero in a time zone's rule as "not given", one hour ahead of standard.
#
# A compiled time zone (RFC 8536) ends with a rule in the form of POSIX's TZ variable, for the years after
# its table. That of Europe/Dublin is "IST-1GMT0,M10.5.0,M3.5.0/1": its standard time is summer's, and its
# "daylight saving" time is winter's, with an offset of exactly zero. GLib takes that zero for an offset
# that was left out, whose default is one hour ahead of standard time, and has Dublin two hours wrong in
# every winter after 2037. glibc and Python read the same file right.
#
# Seen with the versions of Debian 12 below.
set -eu
GLIB=2.74.6-2+deb12u9 PCRE=10.42-1 TZDATA=2026f-0+deb12u1
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
chmod 0755 .
apt-get download -qq "libglib2.0-0=$GLIB" "libpcre2-8-0=$PCRE" "tzdata=$TZDATA" >/dev/null 2>&1
for package in ./*.deb; do dpkg-deb -x "$package" root; done
library=$(echo "$directory"/root/usr/lib/*/libglib-2.0.so.0)

cat > look.py <<'END'
import ctypes, datetime, os, sys, zoneinfo
glib, zones = ctypes.CDLL(sys.argv[1]), sys.argv[2]
for name, kind, arguments in (
        ("g_time_zone_new_identifier", ctypes.c_void_p, [ctypes.c_char_p]),
        ("g_time_zone_find_interval", ctypes.c_int, [ctypes.c_void_p, ctypes.c_int, ctypes.c_int64]),
        ("g_time_zone_get_offset", ctypes.c_int32, [ctypes.c_void_p, ctypes.c_int])):
    function = getattr(glib, name)
    function.restype, function.argtypes = kind, arguments
with open(os.path.join(zones, "Europe/Dublin"), "rb") as file:
    print("rule:", file.read().splitlines()[-1].decode())
    file.seek(0)
    python = zoneinfo.ZoneInfo.from_file(file)
zone = glib.g_time_zone_new_identifier(os.path.join(zones, "Europe/Dublin").encode())
for year in (2030, 2040):
    at = datetime.datetime(year, 1, 15, 12, tzinfo=datetime.timezone.utc)
    interval = glib.g_time_zone_find_interval(zone, 2, int(at.timestamp()))
    print(f"Dublin, 15 January {year}, seconds east of UTC: Python "
          f"{int(at.astimezone(python).utcoffset().total_seconds())}, "
          f"GLib {glib.g_time_zone_get_offset(zone, interval)}")
END
LD_LIBRARY_PATH=$(dirname "$library"):$(echo "$directory"/root/lib/*/ | tr ' ' :) \
    /usr/bin/python3 look.py "$library" "$directory/root/usr/share/zoneinfo" > seen
cat seen
# What was seen.
cat > expected <<'END'
rule: IST-1GMT0,M10.5.0,M3.5.0/1
Dublin, 15 January 2030, seconds east of UTC: Python 0, GLib 0
Dublin, 15 January 2040, seconds east of UTC: Python 0, GLib 7200
END
diff expected seen
