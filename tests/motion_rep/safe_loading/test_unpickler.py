"""Data comes back from every kind of pickle; nothing else does, nothing runs, and memory follows the file's size."""

from __future__ import annotations

import builtins
import functools
import gzip
import io
import os
import pickle
import struct
import zipfile
import zlib
from collections import OrderedDict, defaultdict

import joblib
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from motion_rep.common.errors import InputError
from motion_rep.files.limits import Limits
from motion_rep.files.local_files import open_file
from motion_rep.safe_loading.bounded_stream import BoundedStream
from motion_rep.safe_loading.numpy_file import NpzArrays, read_npy
from motion_rep.safe_loading.pickle_file import load_data_pickle
from motion_rep.safe_loading.torch_files import read_torch
from motion_rep.safe_loading.unpickler import load_data

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.binary(max_size=8)
)
ARRAYS = st.sampled_from(
    [
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(3, 2)),
        np.zeros((0, 3)),
        np.array(2.5),
        np.arange(3, dtype=">i2"),
        np.array(["ab", "c"]),
        np.array([b"x", b"yz"]),
        np.array([True, False]),
        np.array([{"a": [1]}, None], dtype=object),
        np.arange(12)[::2],
        np.float32(1.5),
        np.int64(-3),
        np.bool_(True),
    ]
)
TENSORS = st.sampled_from(
    [
        torch.arange(6.0).reshape(2, 3),
        torch.arange(24).reshape(4, 6)[1:3].T,
        torch.ones(3).half(),
        torch.zeros(()),
        torch.zeros(0, 3),
        torch.ones(2) > 0,
    ]
)
KEYS = st.text(max_size=6) | st.integers(-5, 5)
DATA = st.recursive(
    SCALARS | ARRAYS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3) | st.tuples(inner, inner),
    max_leaves=8,
)
FEW = settings(max_examples=60, deadline=None)


def loaded(data: bytes, limit: int = 1 << 26) -> object:
    return load_data(BoundedStream(io.BytesIO(data), Limits(limit)))


def read_pickle(path: str | os.PathLike) -> object:
    with open_file(path) as file:
        return load_data_pickle(file)


def assert_same(found: object, expected: object) -> None:
    if isinstance(expected, dict):
        assert type(found) is dict and list(found) == list(expected)
        for key in expected:
            assert_same(found[key], expected[key])
    elif isinstance(expected, list | tuple):
        assert type(found) is type(expected) and len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    elif isinstance(expected, torch.Tensor):
        assert found.dtype == expected.dtype and torch.equal(found, expected)
    elif isinstance(expected, np.ndarray | np.generic):
        assert found.shape == expected.shape and found.dtype.newbyteorder("=") == expected.dtype.newbyteorder("=")
        assert_same(found.ravel().tolist(), expected.ravel().tolist())
    else:
        assert type(found) is type(expected) and found == expected


@FEW
@given(value=DATA, protocol=st.integers(0, 5))
def test_data_comes_back_from_every_protocol(value, protocol):
    assert_same(loaded(pickle.dumps(value, protocol)), value)


@FEW
@given(value=DATA, compress=st.sampled_from([0, 3, ("gzip", 3), ("bz2", 1), ("xz", 1), ("lzma", 1), ("lz4", 1)]))
def test_data_comes_back_from_joblib(value, compress, tmp_path_factory):
    path = tmp_path_factory.mktemp("joblib") / "value.pkl"
    joblib.dump(value, path, compress=compress)
    assert_same(read_pickle(path), value)


@FEW
@given(value=st.dictionaries(KEYS, TENSORS | DATA, max_size=3), protocol=st.integers(2, 5))
def test_tensors_within_pickles_and_npy_files(value, protocol, tmp_path_factory):
    assert_same(loaded(pickle.dumps(value, protocol)), value)
    path = tmp_path_factory.mktemp("npy") / "value.npy"
    np.save(path, np.array(value, dtype=object), allow_pickle=True)
    assert_same(read_npy(path).item(), value)


def test_other_dicts_and_sets_become_plain(tmp_path):
    tracks = defaultdict(dict, {1: OrderedDict(a=1)})
    assert_same(loaded(pickle.dumps(tracks)), {1: {"a": 1}})
    for protocol in range(6):
        assert loaded(pickle.dumps([{1, 2}, frozenset([3]), set(), b""], protocol))[:2] == [{1, 2}, {3}]


def test_shared_values_stay_shared():
    array = np.zeros(3)
    one, other = loaded(pickle.dumps([array, array]))
    assert one is other


class Calls:
    """Pickled, a call of something."""

    def __init__(self, function, *arguments) -> None:
        self.call = function, arguments

    def __reduce__(self):
        return self.call


class Plain:
    """An ordinary object."""


REFUSED = [
    Calls(os.system, "true"),
    Calls(os.mkdir, "ran"),
    Calls(eval, "1"),
    Calls(getattr, "a", "upper"),
    Calls(builtins.__import__, "os"),
    Calls(np.load, "x.npy"),
    Calls(np.memmap, "x", "f4"),
    Calls(torch.load, "x"),
    Calls(joblib.load, "x"),
    Calls(functools.partial, len),
    Calls(pickle.loads, b"N."),
    Calls(np.fromfile, "x"),
    Plain(),
    np.zeros(2, dtype=[("a", "f4"), ("b", "O")]),
    np.zeros(2, dtype="datetime64[s]"),
    np.ma.array([1], mask=[0]),
    len,
    Plain,
    range(3),
    1 + 2j,
]


@pytest.mark.parametrize("thing", REFUSED, ids=range(len(REFUSED)))
@pytest.mark.parametrize(
    "wrap", [lambda thing: thing, lambda thing: {"a": [thing]}, lambda thing: np.array([None, thing], dtype=object)]
)
def test_what_is_not_data_is_refused(thing, wrap, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for protocol in range(6):
        with pytest.raises(InputError):
            loaded(pickle.dumps(wrap(thing), protocol))
    joblib.dump(wrap(thing), "j.pkl")
    with pytest.raises(InputError) as failure:
        read_pickle("j.pkl")
    assert str(failure.value).startswith("j.pkl") and "\n" not in str(failure.value)
    assert os.listdir() == ["j.pkl"]


MKDIR = b"cposix\nmkdir\n"
ARRAY = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
DTYPE = b"cnumpy\ndtype\n(V%s\nI0\nI1\ntR(I3\nV<\nNNNI-1\nI-1\nI0\ntb"


@pytest.mark.parametrize(
    "program",
    [
        MKDIR + b"(Vran\ntR.",
        b"(Vran\niposix\nmkdir\n.",
        b"(" + MKDIR + b"Vran\no.",
        MKDIR + b"(Vran\nt\x81.",
        MKDIR + b"(Vran\nt}\x92.",
        b"\x80\x04\x8c\x05posix\x8c\x05mkdir\x93\x8c\x03ran\x85R.",
        b"Pran\n.",
        b"Vran\nQ.",
        b"\x82\x01.",
        b"cnumpy\ndtype\n}b.",  # the state of a class
        b"cnumpy.core.multiarray\n_reconstruct\n}Va\nI1\nsb.",  # the state of a function
        ARRAY + b"(I1\n(I1\nt" + DTYPE % b"O8" + b"I0\nS'aaaaaaaa'\ntb.",  # bytes as pointers to objects
        ARRAY + b"(I1\n(I5\nt" + DTYPE % b"O8" + b"I0\n(lNatb.",  # fewer objects than places
        ARRAY + b"(I1\n(I1000000000000\nt" + DTYPE % b"f8" + b"I0\nVaaaaaaaa\ntb.",
        ARRAY + b"(I1\n(I-1\nt" + DTYPE % b"f8" + b"I0\nVaaaaaaaa\ntb.",
        b"cnumpy.core.multiarray\nscalar\n(" + DTYPE % b"O8" + b"Vaaaaaaaa\ntR.",
        b"\x80\x05\x96" + struct.pack("<Q", 1 << 50) + b"a.",
        b"\x80\x04\x8e" + struct.pack("<Q", 1 << 50) + b"a.",
        b"((((t(ttt}I1\ns.",
        b"}(I1\nI2\nI3\nu.",
        b"",
        b".",
        b"N",
        b"0.",
        b"e.",
        b"R.",
        b"b.",
    ],
)
def test_programs_written_by_hand_are_refused(program, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError):
        loaded(program)
    assert not os.listdir()


# Made once: the length of a pickled tensor depends on what was pickled before, and hypothesis draws by length.
WHOLE = [
    pickle.dumps(
        {"pose": np.arange(6, dtype=np.float32), "t": torch.ones(2), "n": [1, ("a", b"b")], "s": {1}}, protocol
    )
    for protocol in range(6)
]


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_damaged_bytes_end_in_an_error_or_in_data(data):
    whole = bytearray(WHOLE[data.draw(st.integers(0, 5))])
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        loaded(bytes(whole[: data.draw(st.integers(0, len(whole)))]), limit=1 << 20)
    except InputError as error:
        assert "\n" not in str(error)


def test_a_tensor_larger_than_its_storage_is_refused():
    whole = pickle.dumps({"a": torch.arange(4.0)}, 2)
    for shape in (b"K\x05\x85", b"K\xff\x85", b"M\xff\xff\x85"):
        assert whole.count(b"K\x04\x85") == 1
        with pytest.raises(InputError, match="numbers for a tensor of shape"):
            loaded(whole.replace(b"K\x04\x85", shape))


@pytest.mark.parametrize(
    "program",
    [
        b"]" * 200_000 + b"a" * 199_999 + b".",
        b")" + b"\x85" * 200_000 + b".",
        b"}" + b")" + b"\x85" * 200_000 + b"Ns.",
        b"]q\0" + b"h\0a.",  # a list that holds itself
        b"]q\0" + b"](h\0h\0eq\0" * 40 + b".",  # 2**40 lists to show
        b"]q\0(" + b"h\0" * 4000 + b"e" + b"](" + b"h\0" * 4000 + b"e.",
    ],
    ids=range(6),
)
def test_containers_without_end_are_refused(program):
    with pytest.raises(InputError, match=r"endlessly|tuples of tuples"):
        loaded(b"\x80\x02" + program)


def test_nesting_as_people_use_it_is_read():
    value = {"a": [{"b": [({"c": [1]},)]}]}
    assert_same(loaded(pickle.dumps(value)), value)
    assert loaded(pickle.dumps({(0, "a"): 1})) == {(0, "a"): 1}


def test_a_stream_that_unpacks_to_more_than_the_limit_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr("motion_rep.files.limits.FREE_BYTES", 1 << 20)
    path = tmp_path / "bomb.pkl"
    joblib.dump(np.zeros(4 << 20), path, compress=9)
    assert path.stat().st_size < 1 << 18
    with pytest.raises(InputError, match=r"bomb.pkl: .*(claims|more than)"):
        read_pickle(path)
    path.write_bytes(zlib.compress(pickle.dumps(b"N" * (8 << 20)), 9))
    with pytest.raises(InputError, match="more than .* bytes when unpacked"):
        read_pickle(path)


@pytest.mark.parametrize("pack", [lambda data: zlib.compress(data, 9), lambda data: gzip.compress(data, 9)])
def test_a_small_file_of_many_instructions_is_stopped(tmp_path, pack):
    path = tmp_path / "bomb.pkl"
    path.write_bytes(pack(b"\x80\x02(" + b"N" * 2_000_000 + b"l."))
    with pytest.raises(InputError, match="more instructions"):
        read_pickle(path)


@pytest.mark.parametrize("number", [2**1024, -(10**400), 10**4000])
def test_whole_numbers_that_have_no_float_are_refused(number):
    for protocol in range(6):
        with pytest.raises(InputError, match="whole number of"):
            loaded(pickle.dumps({"fps": number}, protocol))


def test_many_copies_of_one_thing_are_stopped():
    """A few bytes each ask for another copy of a megabyte."""
    copy = b"\x80\x02c__builtin__\nlist\nq\x00](" + b"N" * 100_000 + b"eq\x01" + b"h\x00h\x01\x85R0" * 200 + b"."
    with pytest.raises(InputError, match="bytes"):
        loaded(copy, limit=1 << 24)


GLOBALS = {
    "encode": b"c_codecs\nencode\nq\1",
    "set": b"c__builtin__\nset\nq\1",
    "dict": b"ccollections\nOrderedDict\nq\1",
    "scalar": b"cnumpy.core.multiarray\nscalar\nq\1",
    "within": b"ctorch.storage\n_load_from_bytes\nq\1",
}
LONG = struct.pack("<I", 1 << 20) + bytes(1 << 20)
TENSOR = io.BytesIO()
torch.save(torch.zeros(1 << 18), TENSOR, _use_new_zipfile_serialization=False)
STORED = struct.pack("<I", len(TENSOR.getvalue())) + TENSOR.getvalue()


@pytest.mark.parametrize(
    "program",
    [
        GLOBALS["encode"] + b"X" + LONG + b"X\6\0\0\0latin1\x86q\2" + b"h\1h\2R" * 50,
        GLOBALS["scalar"] + b"cnumpy\ndtype\nX\x08\0\0\0S1048576\x85RB" + LONG + b"\x86q\2" + b"h\1h\2R" * 50,
        GLOBALS["within"] + b"B" + STORED + b"\x85q\2" + b"h\1h\2R" * 50,
        b"X" + struct.pack("<I", 5 << 20) + b"a" * ((5 << 20) - 4) + "\U0001f600".encode(),
        b"\x8f" * 100_000,
    ],
    ids=["text", "zeros that vanish", "tensors in bytes", "wide text", "empty sets"],
)
def test_memory_that_a_file_does_not_contain_is_counted(program):
    with pytest.raises(InputError, match=r"more than 16,777,216 bytes|claims .* more bytes"):
        loaded(b"\x80\x03" + program + b".", limit=1 << 24)


@pytest.mark.parametrize("kind", ["set", "dict"])
def test_a_call_costs_as_many_steps_as_it_visits_values(kind):
    """A list of equal values gives a small set, but each call visits all of them."""
    values = b"NN\x86q\0" + b"](" + b"h\0" * 10_000 + b"e\x85q\2"
    with pytest.raises(InputError, match="more instructions"):
        load_data(
            BoundedStream(io.BytesIO(GLOBALS[kind] + values + b"h\1h\2R0" * 5000 + b"."), Limits(1 << 26, 100_000))
        )


def whole(number: int) -> bytes:
    return pickle.dumps(number, 2)[2:-1]


@pytest.mark.parametrize(
    "key",
    [
        whole(2**61 - 1),  # 0, 2**61 - 1 and its multiples have one hash
        whole(-(2**70)),
        whole(2**40) + whole(2**40) + b"\x86",
        whole(1) + b"G?\xb9\x99\x99\x99\x99\x99\x9a\x86",
        b"(" + b"K\1" * 5 + b"t",
        b"X" + struct.pack("<I", 5000) + b"a" * 5000,
        b"B" + struct.pack("<I", 5000) + b"a" * 5000,
        pickle.dumps(np.complex128(1), 2)[2:-1],
    ],
    ids=range(8),
)
def test_keys_that_are_slow_to_compare_are_refused(key):
    for program in (b"}" + key + b"Ns.", b"}(" + key + b"Nu.", b"(" + key + b"Nd.", b"\x8f(" + key + b"\x90."):
        with pytest.raises(InputError, match="as the key of a dict"):
            loaded(b"\x80\x04" + program)


def test_keys_as_people_use_them_are_read():
    value = {2**59: 1, -3: 2, 0.1: 3, ("clip", 7): 4, np.int64(5): 6, "a" * 4000: 7, None: 8}
    assert loaded(pickle.dumps(value)) == value


def test_lengths_that_are_claimed_take_no_memory():
    assert loaded(b"\x80\x04\x95" + struct.pack("<Q", 1 << 62) + b"N.") is None


def test_an_array_is_its_own_and_can_be_written_to():
    array = loaded(pickle.dumps(np.arange(3.0)))
    array[0] = 5


def test_npz_members_are_read_when_asked_for(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(
        path,
        good=np.arange(3),
        words=np.array(["a"]),
        labels=np.array({"a": 1}, dtype=object),
        bad=np.array(Calls(os.mkdir, str(tmp_path / "ran")), dtype=object),
    )
    arrays = NpzArrays(path)
    assert set(arrays) == {"good", "words", "labels", "bad"} and len(arrays) == 4
    assert arrays["good"].tolist() == [0, 1, 2] and arrays["labels"].item() == {"a": 1}
    with pytest.raises(InputError, match=r"x.npz: bad: contains a Python object"):
        arrays["bad"]
    with pytest.raises(KeyError):
        arrays["none"]
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '|V8', 'fortran_order': False, 'shape': (1,)}",
        "1" * 900,
        "(" * 900,
    ],
)
def test_strange_npy_headers_are_refused(header, tmp_path):
    path = tmp_path / "x.npy"
    text = header.encode().ljust(1000) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + b"\0" * 8)
    with pytest.raises(InputError, match=r"x.npy: "):
        read_npy(path)


def test_a_header_without_end_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.npy", "w") as file:
        file.write(b"\x93NUMPY\2\0" + struct.pack("<I", 100_000) + b" " * 100_000)
    with pytest.raises(InputError, match=r"x.npz: a: has a header of 100,000 bytes"):
        NpzArrays(path)["a"]


@pytest.mark.parametrize("read", [NpzArrays, read_torch])
def test_a_zip_file_of_countless_entries_is_refused(tmp_path, read, monkeypatch):
    monkeypatch.setattr("motion_rep.safe_loading.bounded_stream.MOST_DIRECTORY_BYTES", 1000)
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(30):
            archive.writestr(f"x/data.pkl{number}.npy", b"")
    with pytest.raises(InputError, match=r"x.npz: .*too many entries"):
        read(path)
