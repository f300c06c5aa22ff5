"""Reading another process's memory, and finding pieces of secrets in it."""

import base64
import pathlib
import re
import subprocess
from dataclasses import dataclass

# The shortest piece that counts. Eight bytes of a random secret do not occur by chance.
PIECE = 8
PAGE = 4096


@dataclass(frozen=True)
class Secret:
    kind: str  # "key" and the others of shape(), "token", "client secret", "federated token", "challenge"
    name: str
    forms: tuple  # of bytes, all of which must not be seen


@dataclass(frozen=True)
class Hit:
    secret: Secret
    mapping: str
    address: int
    length: int  # how much of the secret stands there

    def __str__(self):
        return (f"{self.length} bytes of {self.secret.kind} {self.secret.name} "
                f"in {self.mapping} at {self.address:#x}")


def key(name, text, kind="key"):
    """An account key: as text, as the bytes that it stands for where it is in base64, and in base64 itself, as a
    Secret of Kubernetes holds it, or Basic authorization behind a name of any length. (Without its padding the text
    is a piece of itself.)"""
    coded = tuple(base64.b64encode(bytes(before) + text.encode())[2 * before:].rstrip(b"=") for before in range(3))
    return Secret(kind, name, (text.encode(), base64.b64decode(text) if text.endswith("=") else b"", *coded))


def shape(text):
    """What kind of key a text is; each of them is looked for, and has to be found where it stands."""
    if re.fullmatch("[0-9a-f]{32}", text):
        return "hexadecimal key"
    if not text.endswith("="):
        return "alphanumeric key"
    return "key" if len(text) > 44 else "short key"


def plain(kind, name, text):
    return Secret(kind, name, (text.encode(),))


def private_key(name, file):
    """An RSA key in a file of PEM: its secret numbers in the order of the file and in that of the processor, and the
    text of the file."""
    der = subprocess.run(["openssl", "rsa", "-in", file, "-traditional", "-outform", "DER"], check=True,
                         capture_output=True).stdout
    parsed = subprocess.run(["openssl", "asn1parse", "-inform", "DER"], input=der, check=True,
                            capture_output=True).stdout.decode()
    numbers = [bytes.fromhex(digits) for digits in re.findall(r"INTEGER +:([0-9A-F]{64,})", parsed)]
    secret = numbers[1:]  # the first is the modulus, which everybody knows
    text = b"".join(line for line in file.read_bytes().splitlines() if not line.startswith(b"-----"))
    return Secret("client secret", name, (*secret, *(number[::-1] for number in secret), text))


def writable_mappings(pid):
    """(name, address, content) of all that the process can have written to."""
    process = pathlib.Path("/proc") / str(pid)
    with (process / "mem").open("rb", buffering=0) as memory:
        for line in (process / "maps").read_text().splitlines():
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)", line)
            start, end = int(found[1], 16), int(found[2], 16)
            if "w" not in found[3]:
                continue
            yield found[4] or "anonymous memory", start, _read(memory, start, end - start)


def secret_mappings(pid):
    """The flags (proc(5), VmFlags) of mappings that are kept out of core files: those of secrets."""
    text = (pathlib.Path("/proc") / str(pid) / "smaps").read_text()
    flags = [set(line.split()) for line in re.findall(r"^VmFlags: (.*)$", text, re.M)]
    return [one for one in flags if "dd" in one and "wr" in one and "io" not in one]


def _read(memory, start, length):
    content = bytearray()
    memory.seek(start)
    while len(content) < length:
        part = memory.read(length - len(content))
        assert part, f"the memory at {start + len(content):#x} cannot be read"
        content += part
    return bytes(content)


def _pieces(form):
    """The form in pieces side by side: of any run of 2 * PIECE - 1 bytes one is a part."""
    return [form[at:at + PIECE] for at in range(0, len(form) - PIECE + 1, PIECE)]


def _without_empty_pages(content):
    """[(offset, bytes)] of the runs of pages that are not all zero."""
    runs, empty = [], bytes(PAGE)
    begin = None
    for at in range(0, len(content) + PAGE, PAGE):
        page = content[at:at + PAGE]
        used = bool(page) and page != empty[:len(page)]
        if used and begin is None:
            begin = at
        elif not used and begin is not None:
            runs.append((begin, content[begin:at]))
            begin = None
    return runs


def _extent(form, piece_at, content, at):
    """How many bytes around the piece agree with the form."""
    before = after = 0
    while (before < min(piece_at, at) and
           form[piece_at - before - 1] == content[at - before - 1]):
        before += 1
    while (piece_at + after < len(form) and at + after < len(content) and
           form[piece_at + after] == content[at + after]):
        after += 1
    return before, after


def _index(secrets):
    """{piece: [(secret, form, where it stands in the form)]}"""
    index = {}
    for secret in secrets:
        for form in secret.forms:
            for number, piece in enumerate(_pieces(form)):
                index.setdefault(piece, []).append((secret, form, number * PIECE))
    return index


def find(pid, secrets, enough=()):
    """All hits, and how many bytes were looked at. `enough`: kinds; the search ends once it has met each of them."""
    index, hits, looked_at, missing = _index(secrets), {}, 0, set(enough)
    for mapping, address, content in writable_mappings(pid):
        for offset, run in _without_empty_pages(content):
            looked_at += len(run)
            for at in range(len(run) - PIECE + 1):
                for secret, form, piece_at in index.get(run[at:at + PIECE], ()):
                    before, after = _extent(form, piece_at, run, at)
                    begin = address + offset + at - before
                    hits[begin, secret] = Hit(secret, mapping, begin, before + after)
                    missing.discard(secret.kind)
                    if enough and not missing:
                        return sorted(hits.values(), key=lambda hit: hit.address), looked_at
    return sorted(hits.values(), key=lambda hit: hit.address), looked_at
