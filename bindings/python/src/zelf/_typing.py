"""Types that older versions of Python lack. typing.get_type_hints looks them up at run time."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if sys.version_info >= (3, 11):
    from typing import Self as Self, Unpack as Unpack
elif TYPE_CHECKING:
    from typing_extensions import Self as Self, Unpack as Unpack
else:
    # The package does not depend on typing_extensions.
    Self = Any

    class Unpack:
        """Stands for the keyword arguments of a TypedDict."""

        def __class_getitem__(cls, options):
            return options
