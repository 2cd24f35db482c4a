"""What a function asks of AWS, held against the policies of its own role as the deployed template has them.

moto does not look at resources when it enforces policies of these services, so each call is judged before it leaves: by
moto's own policy evaluation, with the action and the resources that AWS's service authorization reference names for it.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError
from botocore.model import OperationModel
from moto.iam.access_control import IAMPolicy, PermissionResult

from local_cloud.aws import ACCOUNT, REGION

Need = tuple[str, str]  # action, resource
# A transaction needs the right to each of its parts.
_PARTS = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}


class Role:
    """Documents of a role's policies; register `judge` for `provide-client-params`."""

    def __init__(self, documents: list[dict[str, Any]], api: str) -> None:
        self._policies = [_Policy(document) for document in documents]
        self._api = api  # arn:…:execute-api:…/stage
        self.used: set[Need] = set()

    def allows(self, action: str, resource: str) -> bool:
        results = [policy.is_action_permitted(action, resource) for policy in self._policies]
        return PermissionResult.PERMITTED in results and PermissionResult.DENIED not in results

    def judge(self, params: Mapping[str, Any], model: OperationModel, **_: object) -> None:
        """Raises what AWS answers to a call that the role may not make."""
        for action, resource in needs(model, params, self._api):
            self.used.add((action, resource))
            if not self.allows(action, resource):
                told = {"Code": "AccessDeniedException", "Message": f"not authorized to perform {action} on {resource}"}
                raise ClientError({"Error": told}, model.name)  # type: ignore[typeddict-item]


class _Policy(IAMPolicy):
    """moto makes one of its own stored policies; this is one of a document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._policy_json = document


def needs(model: OperationModel, params: Mapping[str, Any], api: str) -> Iterator[Need]:
    match model.service_model.service_name:
        case "dynamodb":
            yield from _tables(model.name, params)
        case "sqs":
            yield f"sqs:{model.name.removesuffix('Batch')}", _arn("sqs", params["QueueUrl"].rpartition("/")[2])
        case "sns":
            yield f"sns:{model.name}", params["TopicArn"]
        case "apigatewaymanagementapi":
            method = {"PostToConnection": "POST", "DeleteConnection": "DELETE", "GetConnection": "GET"}[model.name]
            yield "execute-api:ManageConnections", f"{api}/{method}/@connections/{params['ConnectionId']}"
        case other:
            raise AssertionError(f"a service without rules here: {other}")


def _tables(operation: str, params: Mapping[str, Any]) -> Iterator[Need]:
    if operation == "TransactWriteItems":
        for item in params["TransactItems"]:
            for part, what in item.items():
                yield f"dynamodb:{_PARTS[part]}", table(what["TableName"])
    elif operation in {"BatchGetItem", "BatchWriteItem"}:
        for name in params["RequestItems"]:
            yield f"dynamodb:{operation}", table(name)
    else:
        index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
        yield f"dynamodb:{operation}", table(params["TableName"]) + index


def table(name: str) -> str:
    return _arn("dynamodb", f"table/{name}")


def _arn(service: str, name: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}"
