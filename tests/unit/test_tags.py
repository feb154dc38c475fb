"""The default tags."""

from __future__ import annotations

from components.tags import default_tags


def test_program_adds_where_a_resource_comes_from() -> None:
    assert default_tags({"owner": "data", "costCenter": "cc-1"}, environment="dev", stack="dev") == {
        "owner": "data",
        "costCenter": "cc-1",
        "environment": "dev",
        "project": "airflow-platform",
        "stack": "dev",
        "managedBy": "pulumi",
    }


def test_program_wins_over_a_team_tag_of_the_same_key() -> None:
    assert default_tags({"environment": "mine"}, environment="dev", stack="dev")["environment"] == "dev"
