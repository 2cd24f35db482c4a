"""Accounts, agents and ports as rows of the Config table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.aws import keys
from shared.aws.items import Row, flag, flag_of, float_of, int_of, number, text, text_of, thin
from shared.message import Account, Agent, Enrolment, Life, Limits, Port

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef as Value


def key(partition: str, sort: str) -> dict[str, Value]:
    return {"account": text(partition), "sk": text(sort)}


def account_row(account: Account) -> dict[str, Value]:
    return {
        **key(account.name, keys.ACCOUNT),
        "credential": text(account.credential),
        "timezone": text(account.timezone),
        "requests_per_second": number(account.limits.requests_per_second),
        "parts_per_day": number(account.limits.parts_per_day),
        "parts_per_month": number(account.limits.parts_per_month),
        "suspended": flag(account.suspended),
        "invited": number(account.invited),
    }


def account_of(row: Row) -> Account:
    return Account(
        name=row["account"]["S"],
        credential=text_of(row, "credential"),
        timezone=text_of(row, "timezone"),
        limits=Limits(
            requests_per_second=float_of(row, "requests_per_second"),
            parts_per_day=int_of(row, "parts_per_day"),
            parts_per_month=int_of(row, "parts_per_month"),
        ),
        suspended=flag_of(row, "suspended"),
        invited=int_of(row, "invited"),
        deleted_at=float_of(row, "deleted_at"),
    )


def agent_row(agent: Agent) -> dict[str, Value]:
    """What an operator decides of an agent; what its connections say comes by updates."""
    return thin(
        {
            **key(agent.account, keys.agent(agent.id)),
            "site": text(agent.site),
            "credential": text(agent.credential),
            "revoked": flag(agent.revoked),
            "code": text(agent.enrolment.code),
            "code_until": number(agent.enrolment.until),
            **({"code_traded_at": number(agent.enrolment.traded_at)} if agent.enrolment.traded_at else {}),
        }
    )


def agent_of(row: Row) -> Agent:
    return Agent(
        account=row["account"]["S"],
        id=keys.agent_of(row["sk"]["S"]),
        site=text_of(row, "site"),
        credential=text_of(row, "credential"),
        revoked=flag_of(row, "revoked"),
        connection=text_of(row, "connection"),
        connected_at=float_of(row, "connected_at"),
        last_seen=float_of(row, "last_seen"),
        offline_told=flag_of(row, "offline_told"),
        doubled_at=float_of(row, "doubled_at"),
        enrolment=Enrolment(
            code=text_of(row, "code"), until=float_of(row, "code_until"), traded_at=float_of(row, "code_traded_at")
        ),
        life=Life(
            boot_id=text_of(row, "boot_id"),
            previous_boot_id=text_of(row, "previous_boot_id"),
            journal_id=text_of(row, "journal_id"),
            version=text_of(row, "version"),
        ),
    )


def life_values(life: Life) -> dict[str, Value]:
    return {
        "boot_id": text(life.boot_id),
        "previous_boot_id": text(life.previous_boot_id),
        "journal_id": text(life.journal_id),
        "version": text(life.version),
    }


def port_row(port: Port) -> dict[str, Value]:
    return {
        **key(port.account, keys.port(port.number)),
        "agent": text(port.agent),
        "span": text(port.span),
        "name": text(port.name),
        "told_name": text(port.told_name),
        "technology": text(port.technology),
        "disabled": flag(port.disabled),
        "parts_per_day": number(port.parts_per_day),
        "parts_per_month": number(port.parts_per_month),
    }


def port_of(row: Row) -> Port:
    return Port(
        account=row["account"]["S"],
        number=keys.port_of(row["sk"]["S"]),
        agent=row["agent"]["S"],
        span=row["span"]["S"],
        name=text_of(row, "name"),
        told_name=text_of(row, "told_name"),
        technology=text_of(row, "technology"),
        disabled=flag_of(row, "disabled"),
        parts_per_day=int_of(row, "parts_per_day"),
        parts_per_month=int_of(row, "parts_per_month"),
        iccid=text_of(row, "iccid"),
        iccid_before=text_of(row, "iccid_before"),
        sim_changed_at=float_of(row, "sim_changed_at"),
    )
