"""Notices that a modem swallows delivery reports: some accept direct ones (<ds> 1) and never tell them. Pure."""

MISSED = 20  # messages in a row with a report asked for, and not one report: phones that are off do not explain that


class ReportWatch:
    """Counts until the first report has come; from then on direct reports are known to work."""

    def __init__(self, patience: float) -> None:
        """`patience`: how many seconds the network may take for the first report."""
        self._patience = patience
        self._asked = 0
        self._since = 0.0
        self._known_to_work = False

    def asked(self, now: float) -> None:
        """A message went out with a report asked for."""
        if not self._asked:
            self._since = now
        self._asked += 1

    def came(self) -> None:
        self._known_to_work = True

    def missing(self, now: float) -> bool:
        """Whether reports should be had in another way; tells so once."""
        if self._known_to_work or self._asked < MISSED or now - self._since < self._patience:
            return False
        self._known_to_work = True
        return True
