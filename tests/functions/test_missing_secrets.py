"""Secrets without a value get one, the others stay as they are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.backends import get_backend

from functions.platform_gate import values
from functions.platform_gate.errors import GateError
from functions.platform_gate.kinds import SecretKind
from functions.platform_gate.missing_secrets import Login, Store, first_version
from tests.functions.account import HOST, Account
from tests.functions.stand_ins import ACCOUNT, REGION, USER, refused

KEY, CERTIFICATE = SecretKind.API_SERVER_PRIVATE_KEY, SecretKind.API_SERVER_CERTIFICATE


def store(aws: Account, lifetime: float = 900) -> Store:
    return Store(aws.clients.secrets_manager, aws.parsed.secret_arns, aws.clock.pace(lifetime))


def fill(aws: Account) -> list[SecretKind]:
    made: list[SecretKind] = []
    store(aws).fill(host_name=HOST, broker_user=USER, made=made)
    return made


def test_all_are_made(aws: Account) -> None:
    assert fill(aws) == list(SecretKind)
    assert set(aws.values()) == set(SecretKind)


def test_certificate_is_made_from_the_stored_key(aws: Account) -> None:
    fill(aws)
    made = aws.values()
    assert values.certificate_problem(made[CERTIFICATE], made[KEY], HOST) is None


def test_only_what_is_missing_is_made(aws: Account) -> None:
    aws.put(SecretKind.FERNET_KEY, "brought along")
    assert SecretKind.FERNET_KEY not in fill(aws)
    assert aws.values()[SecretKind.FERNET_KEY] == "brought along"


def test_nothing_is_made_twice(aws: Account) -> None:
    fill(aws)
    before = aws.values()
    assert fill(aws) == []
    assert aws.values() == before
    assert aws.calls.count("PutSecretValue") == len(SecretKind)


def test_rotated_value_stays(aws: Account) -> None:
    fill(aws)
    aws.put(SecretKind.JWT_SECRET, "rotated")
    fill(aws)
    assert aws.values()[SecretKind.JWT_SECRET] == "rotated"


def test_own_key_and_certificate_stay(aws: Account) -> None:
    key = values.private_key()
    own = {KEY: key, CERTIFICATE: values.certificate(key, HOST)}
    for kind, value in own.items():
        aws.put(kind, value)
    made = fill(aws)
    assert not set(made) & set(own)
    assert {kind: aws.values()[kind] for kind in own} == own


def test_environment_without_flower(aws: Account) -> None:
    del aws.event["secrets"]["flower-user"]
    assert SecretKind.FLOWER_USER not in fill(aws)
    assert SecretKind.FLOWER_USER not in aws.values()


def test_version_of_the_first_value_is_always_the_same(aws: Account) -> None:
    fill(aws)
    secrets = get_backend("secretsmanager")[ACCOUNT][REGION].secrets
    for arn in aws.arns.values():
        assert list(secrets[arn].versions) == [first_version(arn)]
    assert len(set(map(first_version, aws.arns.values()))) == len(SecretKind)
    assert {len(first_version(arn)) for arn in aws.arns.values()} == {36}


def other_gate_first(aws: Account, kind: SecretKind, value: str) -> None:
    """Let another gate write a value right before this one does."""

    def write(_: int, operation: str) -> None:
        if operation == "PutSecretValue" and kind not in aws.values():
            aws.put(kind, value, ClientRequestToken=first_version(aws.arns[kind]))

    aws.before = write


def test_value_of_the_faster_gate_counts(aws: Account) -> None:
    other_gate_first(aws, SecretKind.FERNET_KEY, "faster")
    assert SecretKind.FERNET_KEY not in fill(aws)
    assert aws.values()[SecretKind.FERNET_KEY] == "faster"


def test_certificate_fits_the_key_of_the_faster_gate(aws: Account) -> None:
    key = values.private_key()
    other_gate_first(aws, KEY, key)
    fill(aws)
    assert aws.values()[KEY] == key
    assert values.certificate_problem(aws.values()[CERTIFICATE], key, HOST) is None


def no_label(aws: Account, kind: SecretKind) -> None:
    """Take the label of the current version away."""
    (version,) = get_backend("secretsmanager")[ACCOUNT][REGION].secrets[aws.arns[kind]].versions.values()
    version["version_stages"] = []


def test_secret_without_a_current_version(aws: Account) -> None:
    aws.put(SecretKind.FERNET_KEY, "value", ClientRequestToken=first_version(aws.arns[SecretKind.FERNET_KEY]))
    no_label(aws, SecretKind.FERNET_KEY)
    with pytest.raises(GateError) as raised:
        fill(aws)
    assert str(raised.value) == (
        f"the secret {aws.arns[SecretKind.FERNET_KEY]} has versions, and none of them is AWSCURRENT: "
        "mark one as AWSCURRENT (`aws secretsmanager update-secret-version-stage`)"
    )
    assert 30 <= sum(aws.clock.sleeps) <= 33


def fail_once(aws: Account, operation: str, error: ClientError) -> None:
    """Let the first call of an operation fail."""
    aws.before = lambda number, name: (
        _raise(error) if aws.calls.count(name) == 1 and name == operation else None
    )


def _raise(error: BaseException) -> None:
    raise error


def test_new_value_may_need_some_seconds(aws: Account) -> None:
    fail_once(aws, "GetSecretValue", refused("ResourceNotFoundException", "GetSecretValue"))
    assert fill(aws) == list(SecretKind)
    assert aws.clock.sleeps == [3]


def test_value_that_never_appears(aws: Account) -> None:
    def fail(_: int, operation: str) -> None:
        if operation == "GetSecretValue":
            raise refused("ResourceNotFoundException", operation)

    aws.before = fail
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        fill(aws)
    assert sum(aws.clock.sleeps) == 30


@pytest.mark.parametrize("operation", ["DescribeSecret", "PutSecretValue", "GetSecretValue"])
def test_other_refusals_are_passed_on(aws: Account, operation: str) -> None:
    fail_once(aws, operation, refused("InternalServiceError", operation))
    with pytest.raises(ClientError, match="InternalServiceError"):
        fill(aws)


def test_certificate_of_another_key(aws: Account) -> None:
    aws.put(CERTIFICATE, values.certificate(values.private_key(), HOST))
    with pytest.raises(GateError) as raised:
        fill(aws)
    assert str(raised.value) == (
        f"the certificate in the secret {aws.arns[CERTIFICATE]} belongs to another private key: "
        "replace the secrets of the certificate and of its key (`pulumi up --target-replace`): "
        "the gate fills the new ones"
    )


def test_unusable_private_key(aws: Account) -> None:
    aws.put(KEY, "no key")
    with pytest.raises(GateError) as raised:
        fill(aws)
    assert str(raised.value) == (
        f"the secret {aws.arns[KEY]} holds no PEM key that a certificate can be made for: "
        "replace the secret (`pulumi up --target-replace`): the gate fills the new one"
    )


def test_binary_value(aws: Account) -> None:
    aws.clients.secrets_manager.put_secret_value(SecretId=aws.arns[KEY], SecretBinary=b"\x00")
    with pytest.raises(GateError) as raised:
        fill(aws)
    assert str(raised.value) == (
        f"the secret {aws.arns[KEY]} holds binary data: give it text, then run `pulumi up` again"
    )


def test_login(aws: Account) -> None:
    fill(aws)
    content = json.loads(aws.values()[SecretKind.BROKER_USER])
    assert store(aws).login(SecretKind.BROKER_USER) == Login(USER, content["password"])


@pytest.mark.parametrize("value", ["no json", "[]", "7", '{"username": "airflow"}', '{"password": "hidden"}'])
def test_secret_without_a_login(aws: Account, value: Any) -> None:
    aws.put(SecretKind.BROKER_USER, value)
    with pytest.raises(GateError) as raised:
        store(aws).login(SecretKind.BROKER_USER)
    assert str(raised.value) == (
        f"the secret {aws.arns[SecretKind.BROKER_USER]} holds no user name and password: "
        "correct its value as JSON"
    )
    assert raised.value.__suppress_context__
