"""What is known is evaluated; what only the deployed stack knows stays for CloudFormation."""

import pytest

from local_cloud.intrinsics import NO_VALUE, Scope, evaluate, holds

SCOPE = Scope(
    refs={"Stage": "live", "Api": "abc123", "AWS::NoValue": NO_VALUE, "Wide": "yes"},
    attributes={"Api.ApiEndpoint": "wss://abc123"},
    mappings={"Sizes": {"small": {"memory": 128}}},
    conditions={
        "IsWide": {"Fn::Equals": [{"Ref": "Wide"}, "yes"]},
        "IsNarrow": {"Fn::Not": [{"Condition": "IsWide"}]},
        "IsBoth": {"Fn::And": [{"Condition": "IsWide"}, {"Condition": "IsNarrow"}]},
        "IsEither": {"Fn::Or": [{"Condition": "IsNarrow"}, {"Condition": "IsWide"}]},
    },
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Stage"}, "live"),
        ({"Ref": "Table"}, {"Ref": "Table"}),
        ({"Fn::GetAtt": ["Api", "ApiEndpoint"]}, "wss://abc123"),
        ({"Fn::GetAtt": "Queue.Arn"}, {"Fn::GetAtt": ["Queue", "Arn"]}),
        ({"Fn::Sub": "${Api}/${Stage}"}, "abc123/live"),
        ({"Fn::Sub": "${Table}/${Stage}/${!literal}"}, {"Fn::Sub": "${Table}/live/${!literal}"}),
        ({"Fn::Sub": "${Stage}/${!literal}"}, "live/${literal}"),
        ({"Fn::Sub": ["${name}!", {"name": {"Ref": "Stage"}}]}, "live!"),
        (
            {"Fn::Sub": ["arn:${name}", {"name": {"Ref": "Table"}}]},
            {"Fn::Sub": ["arn:${name}", {"name": {"Ref": "Table"}}]},
        ),
        ({"Fn::If": ["IsWide", {"Ref": "Stage"}, "no"]}, "live"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Stage"}]]}, "a-live"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Table"}]]}, {"Fn::Join": ["-", ["a", {"Ref": "Table"}]]}),
        ({"Fn::Select": [1, {"Fn::Split": [".", "a.b.c"]}]}, "b"),
        ({"Fn::FindInMap": ["Sizes", "small", "memory"]}, 128),
        ({"keep": 1, "drop": {"Ref": "AWS::NoValue"}}, {"keep": 1}),
        ([1, {"Fn::If": ["IsNarrow", 2, {"Ref": "AWS::NoValue"}]}, 3], [1, 3]),
    ],
)
def test_an_intrinsic_is_evaluated_as_far_as_it_can_be(value, expected):
    assert evaluate(value, SCOPE) == expected


def test_conditions_build_on_each_other():
    assert [holds(name, SCOPE) for name in ("IsWide", "IsNarrow", "IsBoth", "IsEither")] == [True, False, False, True]
