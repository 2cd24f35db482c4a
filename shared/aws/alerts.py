"""Events for the operator: implements `Alerts` by an SNS topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.aws.clients import unavailable

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

_SUBJECT_MOST = 100  # SNS quota; printable ASCII only


class TopicAlerts:
    def __init__(self, client: SNSClient, topic_arn: str) -> None:
        self._client, self._topic = client, topic_arn

    def tell(self, subject: str, text: str) -> None:
        with unavailable():
            self._client.publish(TopicArn=self._topic, Subject=_ascii(subject), Message=text)


def _ascii(subject: str) -> str:
    return subject.encode("ascii", "replace").decode().replace("\n", " ")[:_SUBJECT_MOST]
