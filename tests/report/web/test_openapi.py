"""The description of the API."""

import json

from openapi_spec_validator import OpenAPIV31SpecValidator

from smtp_probe.report.web.openapi import describe_api


def test_it_is_valid_openapi_3_1():
    OpenAPIV31SpecValidator(describe_api()).validate()


def test_every_type_and_every_field_of_the_views_is_described():
    schemas = describe_api()["components"]["schemas"]

    assert {"RouteView", "ProbeView", "SubjectView", "ErrorView"} <= set(schemas)
    assert all(schema.get("description") for name, schema in schemas.items() if name.endswith("View"))


def test_only_one_request_changes_anything():
    methods = {(path, method) for path, item in describe_api()["paths"].items() for method in item}

    assert [each for each in methods if each[1] != "get"] == [("/api/v1/routes/{name}/probe", "post")]


def test_it_names_no_address():
    assert "127.0.0.1" not in json.dumps(describe_api())
