"""The functions of tests/local_cloud/template.yaml: they do what they are asked, so that tests see what Lambda sees."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path


def _client(service: str, url: str | None = None):
    import boto3

    return boto3.client(service, endpoint_url=url)


def _note(**row) -> None:
    """Into the table, for a test to find: what happened in a function that nobody hears."""
    item = {"pk": {"S": row.pop("kind")}, "sk": {"S": f"{time.time_ns()}"}, "row": {"S": json.dumps(row)}}
    _client("dynamodb").put_item(TableName=os.environ["TABLE"], Item=item)


def http(event, context):
    body = event.get("body") or ""
    wanted = json.loads(body) if body.startswith("{") else {}
    match wanted.get("do"):
        case "raise":
            raise RuntimeError("as asked")
        case "die":
            os._exit(3)
        case "sleep":
            time.sleep(wanted["seconds"])
        case "answer":
            return wanted["answer"]
    return {
        "event": event,
        "environment": dict(os.environ),
        "pid": os.getpid(),
        "context": {
            "request_id": context.aws_request_id,
            "arn": context.invoked_function_arn,
            "left_ms": context.get_remaining_time_in_millis(),
        },
    }


def work(event, context):
    """Each record says what is to become of it."""
    failures = []
    for record in event["Records"]:
        wanted = json.loads(record["body"])
        _note(kind="work", body=wanted, record=record, batch=len(event["Records"]))
        match wanted.get("do"):
            case "fail":
                failures.append({"itemIdentifier": record["messageId"]})
            case "raise":
                raise RuntimeError("as asked")
            case "fail once" if not Path(wanted["mark"]).exists():
                Path(wanted["mark"]).touch()
                failures.append({"itemIdentifier": record["messageId"]})
            case "die once" if not Path(wanted["mark"]).exists():
                Path(wanted["mark"]).touch()
                os._exit(3)
    return {"batchItemFailures": failures}


def sweep(event, context):
    _note(kind="sweep", event=event)


def guard(event, context):
    token = event["headers"]["Authorization"]
    if token == "nobody":
        raise Exception("Unauthorized")
    if token == "broken":
        raise RuntimeError("as asked")
    effect = "Deny" if token == "denied" else "Allow"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}
    return {
        "principalId": f"principal of {token}",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"token": token, "level": 3, "trusted": True, "event": json.dumps(event)},
    }


def socket(event, context):
    request = event["requestContext"]
    connections = _client("apigatewaymanagementapi", os.environ["CONNECTIONS_URL"])
    match request["eventType"]:
        case "CONNECT":
            return _on_connect(event, connections)
        case "DISCONNECT":
            _note(kind="disconnect", event=event)
            return {"statusCode": 200}
    wanted = json.loads(event["body"])
    match wanted.get("do"):
        case "raise":
            raise RuntimeError("as asked")
        case "sleep":
            time.sleep(wanted["seconds"])
    said = json.dumps({"event": event, "tag": wanted.get("tag"), "padding": "x" * wanted.get("padding", 0)})
    connections.post_to_connection(ConnectionId=request["connectionId"], Data=said.encode())
    return {"statusCode": 200}


def _on_connect(event, connections):
    query = event.get("queryStringParameters") or {}
    if "status" in query:
        return {"statusCode": int(query["status"])}
    if "raise" in query:
        raise RuntimeError("as asked")
    if "post" in query:  # too early: the connection is not open before this function has answered
        try:
            connections.post_to_connection(ConnectionId=event["requestContext"]["connectionId"], Data=b"early")
        except connections.exceptions.GoneException:
            _note(kind="early", gone=True)
    return {"statusCode": 200}
