"""What a model has computed once is not computed again, and nothing else is taken for it."""

from models.prompt_format import Encoded
from stage1.log_prob_cache import LogProbCache

ONE, OTHER = (Encoded((1, 2), (3, 4)),), (Encoded((1, 2, 3), (4,)),)


def test_remembers_across_processes(tmp_path):
    """What one learns another recalls, to the last bit; files of several writers add up."""
    LogProbCache(tmp_path / "a").learn({ONE: [-0.1]})
    LogProbCache(tmp_path / "a").learn({OTHER: [-1e-300]})

    assert LogProbCache(tmp_path / "a").recall(ONE) == [-0.1]
    assert LogProbCache(tmp_path / "a").recall(OTHER) == [-1e-300]


def test_the_boundary_counts(tmp_path):
    """The same ids split elsewhere into prompt and response are something else."""
    LogProbCache(tmp_path / "a").learn({ONE: [-0.1]})

    assert LogProbCache(tmp_path / "a").recall(OTHER) is None
    assert LogProbCache(tmp_path / "b").recall(ONE) is None


def test_what_was_read_beside_it_counts(tmp_path):
    """A response is not recalled from another tree: in the last bits its log-probability depends on what is read with it."""
    more = (*ONE, Encoded((1, 2), (5,)))
    LogProbCache(tmp_path).learn({more: [-0.1, -0.2]})

    assert LogProbCache(tmp_path).recall(ONE) is None
    assert LogProbCache(tmp_path).recall(more) == [-0.1, -0.2]


def test_a_damaged_file_is_not_believed(tmp_path):
    """A flipped byte makes its file unknown, and the other files stay known."""
    cache = LogProbCache(tmp_path)
    cache.learn({ONE: [-0.1]})
    [damaged] = tmp_path.iterdir()
    LogProbCache(tmp_path).learn({OTHER: [-0.2]})
    damaged.write_bytes(damaged.read_bytes().replace(b"0.1", b"0.7"))

    assert LogProbCache(tmp_path).recall(ONE) is None
    assert LogProbCache(tmp_path).recall(OTHER) == [-0.2]
