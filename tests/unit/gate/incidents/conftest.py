from tests.support.incident_surroundings import _own_surroundings, make_database  # noqa: F401 - fixtures
