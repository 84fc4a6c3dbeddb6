"""The registrations of `load_demo`: data only. All names, addresses and uses are invented.

Days are counted from the day of loading; negative ones lie in the past.
"""

from dataclasses import dataclass, field

GRAPH = "https://graph.microsoft.com"
PLANNER = "api://demo-route-planner"
SECRET_EXPIRED = 7000222


@dataclass(frozen=True)
class Use:
    """Sign-ins with one credential: `count`, `every` so many minutes, the newest `last` minutes ago."""

    last: int
    every: int = 60
    count: int = 1
    code: int = 0
    resource: str = GRAPH
    address: str = "10.24.6.11"


@dataclass(frozen=True)
class DemoSecret:
    """A client secret that began `began` days from now and ends `ends` days from now."""

    description: str
    began: int
    ends: int
    verify_only: bool = False
    uses: tuple[Use, ...] = ()


@dataclass(frozen=True)
class DemoCertificate:
    """A self-signed certificate; key: "RSA" or "EC". has_key: its private key is kept."""

    description: str
    began: int
    ends: int
    key: str = "RSA"
    has_key: bool = False
    uses: tuple[Use, ...] = ()


@dataclass(frozen=True)
class DemoApplication:
    """One registration. deleted: days ago, None for a live one. owners: "" for nobody, "one", "all"."""

    name: str
    age: int
    by: str
    identifier_uri: str = ""
    notes: str = ""
    owners: str = ""
    disabled: bool = False
    deleted: int | None = None
    secrets: tuple[DemoSecret, ...] = ()
    certificates: tuple[DemoCertificate, ...] = field(default=())


_DAY = 24 * 60

APPLICATIONS = (
    DemoApplication(
        "Harbor Sync Worker",
        681,
        "Robin Vale",
        owners="one",
        notes="Copies berth plans to the warehouse every few minutes.",
        secrets=(
            DemoSecret(
                "smoke-test",
                -192,
                -12,
                uses=(
                    Use(13 * _DAY),
                    Use(190, every=95, count=6, code=SECRET_EXPIRED, address="10.24.6.18"),
                ),
            ),
            DemoSecret(
                "worker-prod",
                -342,
                23,
                uses=(Use(92, every=120, count=12, address="10.24.6.14"), Use(4, 10, 140, resource=PLANNER)),
            ),
            DemoSecret("local-debug", -83, 97),
        ),
        certificates=(
            DemoCertificate("harbor-sync-old", -315, 50, has_key=True, uses=(Use(22, 15, 96),)),
            DemoCertificate("harbor-sync-new", 0, 365, has_key=True),
        ),
    ),
    DemoApplication(
        "Customs Gateway",
        900,
        "Kit Almgren",
        owners="one",
        certificates=(DemoCertificate("customs-gateway", -362, 3, uses=(Use(2, 20, 60),)),),
    ),
    DemoApplication(
        "Document Archive Sync",
        760,
        "Noor Hadley",
        owners="one",
        certificates=(DemoCertificate("archive", -200, 520, uses=(Use(9 * 60, _DAY, 5),)),),
    ),
    DemoApplication(
        "Mail Relay",
        1460,
        "Robin Vale",
        notes="Nobody owns this one any more.",
        secrets=(DemoSecret("relay", -359, 6, uses=(Use(6, 30, 40),)),),
    ),
    DemoApplication(
        "Legacy Tariff Import",
        1900,
        "Kit Almgren",
        owners="one",
        secrets=(DemoSecret("import", -730, -42, uses=(Use(43 * _DAY),)),),
    ),
    DemoApplication(
        "Payroll Bridge",
        1450,
        "Noor Hadley",
        owners="one",
        secrets=(
            DemoSecret(
                "payroll",
                -182,
                -2,
                uses=(Use(3 * _DAY), Use(35, 60, 30, code=SECRET_EXPIRED, address="10.24.7.3")),
            ),
        ),
    ),
    DemoApplication("Reporting Snapshot", 21, "Robin Vale", owners="one"),
    DemoApplication(
        "Route Planner API",
        805,
        "Robin Vale",
        identifier_uri=PLANNER,
        owners="one",
        certificates=(
            DemoCertificate("route-planner-1", -420, -55, uses=(Use(56 * _DAY),)),
            DemoCertificate("route-planner-2", -76, 289, uses=(Use(1, 45, 30),)),
        ),
    ),
    DemoApplication(
        "Warehouse Label Printer",
        113,
        "Noor Hadley",
        owners="one",
        secrets=(DemoSecret("labels", -113, 67, verify_only=True, uses=(Use(3 * _DAY, _DAY, 4),)),),
    ),
    DemoApplication(
        "Night Batch Runner",
        1690,
        "Kit Almgren",
        owners="one",
        disabled=True,
        notes="Switched off while the batch is being rewritten.",
        secrets=(DemoSecret("batch-a", -175, 5, uses=(Use(11 * 60),)), DemoSecret("batch-b", -20, 160)),
    ),
    DemoApplication(
        "Partner Portal BFF",
        618,
        "Robin Vale",
        owners="one",
        secrets=(DemoSecret("bff", -156, 24, uses=(Use(1, 12, 80),)),),
        certificates=(DemoCertificate("partner-ec", -30, 335, key="EC"),),
    ),
    DemoApplication(
        "Fleet Telemetry Ingest",
        603,
        "Kit Almgren",
        owners="one",
        secrets=(
            DemoSecret("ingest", -100, 80, uses=(Use(1, 18, 60),)),
            DemoSecret("ingest-next", 14, 194),
        ),
    ),
    DemoApplication(
        "Build Pipeline Deployer",
        285,
        "Noor Hadley",
        owners="all",
        secrets=(DemoSecret("pipeline", -65, 300, uses=(Use(12, 240, 12),)),),
    ),
    DemoApplication(
        "Invoice Export",
        1250,
        "Kit Almgren",
        deleted=5,
        certificates=(DemoCertificate("invoice", -100, 265, uses=(Use(6 * _DAY),)),),
    ),
    DemoApplication("Old Kiosk", 2200, "Robin Vale", deleted=28, secrets=(DemoSecret("kiosk", -200, 165),)),
)
