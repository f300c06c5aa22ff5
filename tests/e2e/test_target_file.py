"""The target `file`: templates, from the configuration to the file, and directories of everybody."""

import stat

from patience import wait_until


def test_a_template_is_filled_in_and_delivered_again_when_it_changes(site):
    template = site.directory / "keys.ini"
    template.write_text("[{name}]\nkey = {key}\n")
    site.config["targets"]["file"].update(format="template", template_file=str(template))
    site.policy(rotate_every="10m", check_every="1h")
    site.account("alpha")
    site.start()
    key = site.azure.keys("alpha")["Primary"]
    wait_until(lambda: site.held("alpha") == f"[alpha]\nkey = {key}", "the template is filled in")

    template.write_text("{{\"key\": \"{key}\", \"slot\": \"{slot}\"}}\n")
    assert site.ctl("reload").returncode == 0
    wait_until(lambda: site.held("alpha") == f'{{"key": "{key}", "slot": "primary"}}',
               "the changed template is delivered")
    template.write_text("{kye}")
    said = site.ctl("reload")
    assert said.returncode == 1
    assert "unknown placeholder {kye}; did you mean {key}?" in said.stdout + said.stderr


def test_a_directory_of_everybody_gets_no_key_until_it_is_closed(site):
    site.policy(rotate_every="10m", check_every="1h")
    site.account("alpha")
    site.keys.chmod(0o777)
    site.start()
    line = site.log.wait("delivery.failed", account="alpha")
    assert f"everybody may write to {site.keys}" in line["msg"]
    assert f"`chmod o-w {site.keys}`" in line["remedy"]
    assert not site.file("alpha").exists()
    site.keys.chmod(0o700)
    wait_until(lambda: site.file("alpha").exists(), "the key is delivered")
    assert stat.S_IMODE(site.file("alpha").stat().st_mode) == 0o600
