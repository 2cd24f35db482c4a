"""AT+CMGS in PDU mode (3GPP TS 27.005 §4.3): the prompt, the PDU, and what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.simulator import accidents, noise
from edge_agent.simulator.air_codec import PduRefused, Submit, parse_pdu
from edge_agent.simulator.results import AtError, cms

if TYPE_CHECKING:
    from edge_agent.simulator.modem import Modem


class Submission:
    """`open` while the modem collects a PDU; only Ctrl-Z and ESC end that, whoever asked for the prompt."""

    def __init__(self, modem: Modem) -> None:
        self._modem = modem
        self._octets = 0
        self.open = False

    def begin(self, octets: int) -> None:
        modem = self._modem
        self._octets = octets
        slow = modem.faults.strikes("slow_prompt") if modem.faults else None
        if slow:
            modem.busy = True
            modem.later(slow.number("seconds"), self._prompt)
        else:
            self._prompt()

    def _prompt(self) -> None:
        modem = self._modem
        modem.busy, self.open = False, True
        if not modem.faults:
            modem.say(noise.PROMPT)
        elif not modem.faults.strikes("no_prompt"):
            modem.say(noise.prompt(modem))

    def cancel(self) -> None:
        self._close()
        self._modem.answer([])

    def _close(self) -> None:
        self.open = False
        self._modem.prompt_closed()

    def finish(self, digits: bytes) -> None:
        modem = self._modem
        modem.busy = True
        self._close()
        try:
            submit = parse_pdu(digits.translate(None, b"\r\n "), self._octets)
        except PduRefused as bad:
            self._refuse(cms(304), digits, str(bad))
            return
        error = self._network_error(submit)
        if error is not None:
            self._refuse(error, digits, "network")
            return
        self._sent(modem.network.accept(submit))

    def _network_error(self, submit: Submit) -> AtError | None:
        modem = self._modem
        if not modem.registered:
            return cms(331)
        if not modem.faults:
            return None
        if refuse := modem.faults.strikes("refuse"):
            return cms(int(refuse.number("code")))
        if refuse := modem.faults.strikes("refuse_network"):
            if refuse["on_air"] if refuse["on_air"] is not None else modem.rng.random() < 0.5:
                modem.network.accept(submit)
            return cms(int(refuse.number("code")))
        return None

    def _refuse(self, error: AtError, digits: bytes, why: str) -> None:
        modem = self._modem
        pdu = digits.decode("latin-1")
        modem.air.write({"event": "refused", **modem.who, "error": error.final(1), "why": why, "pdu": pdu})
        modem.fail(error, modem.traits.answer_delay)

    def _sent(self, reference: int) -> None:
        """It is on the air; whether the computer learns of it is another matter."""
        modem = self._modem
        said = str(reference)
        if modem.faults:
            if self._answer_is_lost():
                return
            if missing := modem.faults.strikes("missing_reference"):
                wanted = missing["reference"]
                said = modem.rng.choice(("", "-1", "0")) if wanted is None else str(wanted)
        modem.answer([f"+CMGS: {said}"], delay=modem.traits.answer_delay)

    def _answer_is_lost(self) -> bool:
        modem = self._modem
        if hang := modem.faults.strikes("hang_after_pdu"):
            modem.power.hang(hang.number("seconds"))
        elif modem.faults.strikes("reboot_after_pdu"):
            modem.power.reboot()
        elif gone := modem.faults.strikes("unplug_after_pdu"):
            modem.busy = False
            accidents.unplug(modem, gone)
        else:
            return False
        return True
