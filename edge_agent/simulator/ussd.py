"""USSD dialogues with the simulated network: *100# in the 7-bit alphabet, *101# in UCS-2, *102# asks back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.simulator import gsm_text

if TYPE_CHECKING:
    from edge_agent.simulator.modem import Modem

# 27.007 §7.15 <m>; the data coding schemes of TS 23.038 §5: 15 is the default alphabet, 72 UCS-2.
_DONE, _ASKS_BACK, _NOT_SUPPORTED = 0, 1, 4
_GSM7, _UCS2 = 15, 72


class Ussd:
    def __init__(self, modem: Modem) -> None:
        self._modem = modem
        self.answers = {"*100#": "Balance: 12.34 EUR", "*101#": "Баланс: 56.78 руб", "*102#": "1 Balance\n2 Tariff"}
        self._menu = {"1": "Balance: 12.34 EUR", "2": "Tariff: Test"}
        self._in_dialogue = False

    def ask(self, text: str) -> None:
        """`text` as it was typed: in the computer's character set, or packed and in hexadecimal for some modems."""
        if self._modem.settings.cscs == "UCS2":
            text = bytes.fromhex(text).decode("utf-16-be")
        elif self._modem.vendor.ussd_packed:
            octets = bytes.fromhex(text)
            text = gsm_text.to_text(gsm_text.unpack(octets, len(octets) * 8 // 7)).rstrip("@\r")
        self._modem.later(self._modem.traits.ussd_delay, lambda: self._answer(text))

    def end(self) -> None:
        self._in_dialogue = False

    def _answer(self, asked: str) -> None:
        answer = (self._menu if self._in_dialogue else self.answers).get(asked)
        self._in_dialogue = asked == "*102#"
        if self._modem.settings.cusd != 1:
            return
        if answer is None:
            self._modem.urc(f"+CUSD: {_NOT_SUPPORTED}")
            return
        said, scheme = self._coded(answer)
        self._modem.urc(f'+CUSD: {_ASKS_BACK if self._in_dialogue else _DONE},"{said}",{scheme}')

    def _coded(self, answer: str) -> tuple[str, int]:
        """The text in the computer's character set if the network sent 7-bit text; octets in hexadecimal otherwise."""
        septets, modem = gsm_text.to_septets(answer), self._modem
        if septets is None or modem.settings.cscs == "UCS2":
            return answer.encode("utf-16-be").hex().upper(), _UCS2 if septets is None else _GSM7
        return (gsm_text.pack(b"".join(septets)).hex().upper() if modem.vendor.ussd_packed else answer), _GSM7
