"""In the other clouds, too: the hosts and audiences that the stand-in knows are those that Microsoft's clients know
them by. (MSAL for Python is left out: it asks the public cloud, whatever cloud it is for.)"""

import pytest

from microsoft import Az, JavaScript, by_secret

# Resource Manager; the directory, as the Azure CLI calls it, and as MSAL for JavaScript makes of that.
CLOUDS = {
    "AzureChinaCloud": ("management.chinacloudapi.cn", "login.chinacloudapi.cn", "login.partner.microsoftonline.cn"),
    "AzureUSGovernment": ("management.usgovcloudapi.net", "login.microsoftonline.us", "login.microsoftonline.us"),
}
every_other_cloud = pytest.mark.parametrize("cloud", CLOUDS, indirect=True)


@every_other_cloud
def test_az(cloud, azure):
    """It is told the cloud's name alone, and knows the others by itself."""
    azure.create("alpha")
    manager, login, _ = CLOUDS[cloud.name]
    assert Az(cloud).list_keys("alpha")["primary"] == azure.keys("alpha")["Primary"]
    assert {manager, login} <= cloud.proxy.hosts()


@every_other_cloud
def test_javascript(cloud, azure):
    azure.create("alpha")
    manager, login, preferred_login = CLOUDS[cloud.name]
    client = JavaScript(cloud, {**by_secret(), "manager": f"https://{manager}"},
                        AZURE_AUTHORITY_HOST=f"https://{login}")
    assert client.list_keys("alpha")["primary"] == azure.keys("alpha")["Primary"]
    assert cloud.proxy.hosts() == {manager, preferred_login}
