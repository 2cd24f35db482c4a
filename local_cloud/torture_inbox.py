"""What was written to the site, what its inbox says and what the receiver got, compared. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from local_cloud.intrinsics import JsonObject
from local_cloud.topology import as_object
from local_cloud.torture_truth import Told, Verdict
from local_cloud.torture_writers import Written

_RECEIVED = ("SMS-Received", "")


def judge_received(
    written: Sequence[Written], inbox: Sequence[JsonObject], told: Mapping[str, Told], verdict: Verdict
) -> None:
    """Each once in the inbox as it was written, and pushed under one id."""
    verdict.received = len(inbox)
    texts = {one.number: one.text for one in written}
    there = Counter(str(row["phonenumber"]) for row in inbox)
    verdict.lost += unreceived(written, inbox, told)
    verdict.doubled += [f"{number}: {count} times in the inbox" for number, count in there.items() if count > 1]
    for row in inbox:
        number, ids = str(row["phonenumber"]), _ids(row, told)
        if texts.get(number) != row["message"]:
            verdict.untruthful.append(f"{number}: in the inbox, and nobody wrote it so")
        if len(ids) > 1:
            verdict.untruthful.append(f"{number}: received, and pushed under {len(ids)} webhook-ids")


def unreceived(written: Sequence[Written], inbox: Sequence[JsonObject], told: Mapping[str, Told]) -> list[str]:
    """What is not in the inbox, and what stands there and was not pushed."""
    there = {row["phonenumber"] for row in inbox}
    away = [one for one in written if one.number not in there]
    unsaid = [row for row in inbox if not _ids(row, told)]
    return [f"{one.number}: written to modem {one.modem}, and not in the inbox" for one in away] + [
        f"{row['phonenumber']}: received, and never pushed" for row in unsaid
    ]


def _ids(row: JsonObject, told: Mapping[str, Told]) -> Mapping[str, str]:
    return told.get(str(row["id"]), {}).get(_RECEIVED, {})


def unheard(written: Sequence[Written], pushes: Sequence[JsonObject]) -> set[str]:
    """Numbers of those of whom nothing was pushed yet."""
    return {one.number for one in written} - set(_heard(pushes))


def _heard(pushes: Sequence[JsonObject]) -> Iterator[str]:
    for push in pushes:
        fields = as_object(push["parameters"])
        if push["answered"] == 200 and fields["type"] == _RECEIVED[0]:
            yield str(fields["phonenumber"])
