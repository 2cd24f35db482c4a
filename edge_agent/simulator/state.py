"""What a simulated modem remembers, split by what a reset takes away and what it leaves."""

from dataclasses import dataclass, field

from edge_agent.simulator.identity import Sim
from edge_agent.simulator.stores import Store
from edge_agent.simulator.vendors import Vendor

# 27.007 §7.2 <stat>
HOME, SEARCHING, DENIED, ROAMING = 1, 2, 3, 5
PIN_ATTEMPTS, PUK_ATTEMPTS = 3, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """How quick the modem and its network are, in seconds; and what the SIM asks for."""

    answer_delay: float = 0.02
    report_delay: float = 0.3
    reports: bool = True
    pin: str | None = None
    boot: float = 1.0
    register: float = 0.2
    ussd_delay: float = 0.3
    # How long a direct report may stay without +CNMA; 24.011 §10 has 12 to 20 s (TR2M), here it's shorter for tests.
    acknowledge: float = 5.0
    zone_quarters: int = 8


@dataclass(slots=True)
class Settings:
    """Lost by a reset, ATZ and AT&F."""

    stores: tuple[str, str, str]
    cnmi: tuple[int, ...]
    echo: bool = True
    cmee: int = 0
    cmgf: int = 0
    csms: int = 0
    cmms: int = 0
    cusd: int = 0
    cscs: str = "IRA"
    registration: dict[str, int] = field(default_factory=dict)


def factory_settings(vendor: Vendor) -> Settings:
    return Settings((vendor.default_store,) * 3, vendor.cnmi_at_start)


@dataclass(slots=True)
class SimCard:
    """The card. `unlocked` is lost with power; the counters are not."""

    who: Sim
    pin: str | None = None
    inserted: bool = True
    unlocked: bool = field(init=False)
    pin_attempts: int = PIN_ATTEMPTS
    puk_attempts: int = PUK_ATTEMPTS
    centre: str = "+491710760000"

    def __post_init__(self) -> None:
        self.unlocked = self.pin is None

    @property
    def state(self) -> str:
        """What +CPIN? says."""
        if self.unlocked:
            return "READY"
        return "SIM PIN" if self.pin_attempts else "SIM PUK"

    def lock(self, pin: str) -> None:
        self.pin, self.unlocked = pin, False

    def take_off_lock(self) -> None:
        self.pin, self.unlocked = None, True
        self.pin_attempts, self.puk_attempts = PIN_ATTEMPTS, PUK_ATTEMPTS

    def try_pin(self, pin: str) -> bool:
        self.pin_attempts -= 1
        if pin == self.pin:
            self.pin_attempts, self.unlocked = PIN_ATTEMPTS, True
        return self.unlocked

    def try_puk(self, puk: str, new_pin: str) -> bool:
        self.puk_attempts -= 1
        if puk == "12345678" and self.puk_attempts >= 0:
            self.pin, self.pin_attempts, self.puk_attempts, self.unlocked = new_pin, PIN_ATTEMPTS, PUK_ATTEMPTS, True
        return self.unlocked


@dataclass(slots=True)
class Radio:
    function: int = 1
    stat: int = HOME
    csq: int = 24
    operator: str = "Testnet"


def new_stores(vendor: Vendor) -> dict[str, Store]:
    return {name: Store(name, capacity, vendor.first_index) for name, capacity in vendor.stores}
