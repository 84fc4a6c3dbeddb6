"""The Microsoft clouds: where each of them signs applications in, and where its Microsoft Graph is.

Hosts as in MSAL for Python (authority.py, the hosts it trusts without asking) and "Microsoft Graph national
cloud deployments". Aliases and hosts that Microsoft has retired are left out.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cloud:
    """key: stable name, stored in no table but used in forms and commands. graph_url: without a slash."""

    key: str
    label: str
    host: str
    graph_url: str

    @property
    def in_a_sentence(self) -> str:
        """The label as it stands behind other words: proper names keep their capitals."""
        return self.label.replace("Public cloud", "public cloud")


CLOUDS = (
    Cloud("public", "Public cloud", "login.microsoftonline.com", "https://graph.microsoft.com"),
    Cloud("us-government", "US Government", "login.microsoftonline.us", "https://graph.microsoft.us"),
    Cloud(
        "china",
        "China (21Vianet)",
        "login.partner.microsoftonline.cn",
        "https://microsoftgraph.chinacloudapi.cn",
    ),
    Cloud("france", "France (Bleu)", "login.sovcloud-identity.fr", "https://graph.svc.sovcloud.fr"),
    Cloud("germany", "Germany (Delos)", "login.sovcloud-identity.de", "https://graph.svc.sovcloud.de"),
    Cloud("singapore", "Singapore (GovSG)", "login.sovcloud-identity.sg", "https://graph.svc.sovcloud.sg"),
)


def cloud_of_host(host: str) -> Cloud | None:
    """The cloud whose sign-in host this is; None for any other."""
    return next((cloud for cloud in CLOUDS if cloud.host == host), None)


def cloud_of_key(key: str) -> Cloud | None:
    """The cloud of that stable name; None for any other."""
    return next((cloud for cloud in CLOUDS if cloud.key == key), None)
