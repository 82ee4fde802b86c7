"""Device ids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.guide.device import DEVICE_PREFIX, checked, is_valid, udn

digits = st.text("0123456789abcdefABCDEF", min_size=7, max_size=7)


@pytest.mark.parametrize(
    "device_id", ["10811DF5", "124205A5", "1251E8E2", "1053C0CA", "105902DB", "10aa5474"]
)
def test_real_ids_are_valid(device_id: str) -> None:
    """The checksum is the one that devices in the field have."""
    assert is_valid(device_id)
    assert checked(device_id[:7]) == device_id.upper()


@pytest.mark.parametrize(
    "device_id", ["12345678", "FFFFFFFF", "00000000", "", "10811DF", "10811DF55", "1081 DF5"]
)
def test_other_ids_are_not(device_id: str) -> None:
    """A wrong checksum, the wildcard, nought and anything else are refused."""
    assert not is_valid(device_id)


@given(digits)
def test_any_seven_digits_have_one_eighth(seven: str) -> None:
    """Exactly one of the sixteen last digits makes the id valid."""
    candidates = [f"{seven}{last:X}".upper() for last in range(16)]
    valid = [candidate for candidate in candidates if is_valid(candidate)]
    assert valid == [checked(seven)] or checked(seven) in {"FFFFFFFF", "00000000"}


def test_our_prefix_is_not_a_legacy_one() -> None:
    """Clients tell legacy tuners by the first three digits; ours is none of theirs."""
    legacy = {"100", "101", "102", "103", "111", "120", "121", "122"}
    assert DEVICE_PREFIX not in legacy
    assert checked(f"{DEVICE_PREFIX}1234").startswith(DEVICE_PREFIX)


@pytest.mark.parametrize("seven", ["123456", "12345678", "10A123G"])
def test_what_is_not_seven_digits_is_refused(seven: str) -> None:
    """A wrong length or letter is an error, not an id."""
    with pytest.raises(ValueError, match="seven hexadecimal digits"):
        checked(seven)


def test_the_udn_is_the_devices_for_ever() -> None:
    """The same device has the same UUID, another one has another."""
    assert udn("10A12347") == "c4429f23-5922-594f-9614-71b27f91d479"
    assert udn("10A12346") != udn("10A12347")
