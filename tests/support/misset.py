"""The panel's settings with a cluster set as MISSET says: `key=value`."""

from __future__ import annotations

import os

from j5a_admin.settings import *  # noqa: F403
from j5a_admin.settings import Q_CLUSTER

_key, _, _value = os.environ["MISSET"].partition("=")
Q_CLUSTER = {**Q_CLUSTER, _key: int(_value)}
