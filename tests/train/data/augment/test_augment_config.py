"""What section augment may hold."""

import re

import pytest

from train.config import load_config
from train.errors import CallError


@pytest.mark.parametrize(
    ("overrides", "text"),
    [
        (["augment.share=2"], "configuration key augment.share: is 2 (expected 0 to 1)"),
        (
            ["augment.kinds=['red']"],
            "configuration key augment.kinds: is 'red' (expected one of white, pink, babble",
        ),
        (["noise.kinds=['browm']"], "configuration key noise.kinds: is 'browm'"),
        (["noise.kinds=['browm']"], "Did you mean 'brown'?"),
        (["augment.snr_high_db=-5"], "configuration key augment.snr_high_db: is -5 (expected 0 to 120)"),
        (["augment.rt60_low_s=0.1"], "configuration key augment.rt60_low_s: is 0.1 (expected 0.15 to 3)"),
        (["augment.seed=-1"], "configuration key augment.seed: is -1 (expected 0 to 1e+06)"),
        (
            [
                "augment.share=0.5",
                *(f"augment.{name}=0" for name in ("pitch", "tempo", "reverb", "equaliser", "noise", "level")),
            ],
            "configuration section augment: changes 0.5 of the clips by nothing. Set pitch, tempo, reverb",
        ),
        (
            ["augment.share=0.5", "augment.kinds=[]"],
            "configuration section augment: names no noise. Set kinds, or noise to 0",
        ),
        (
            ["augment.share=0.5", "augment.kinds=['folder']"],
            "configuration key noise.folder: is empty. Set it to your folder of noise",
        ),
        (["noise.share=0.5", "noise.kinds=['folder']"], "configuration key noise.folder: is empty."),
        (
            ["task.name=segmentation", "augment.share=0.5"],
            "configuration key augment.share: is 0.5 (expected 0 where the task is segmentation)",
        ),
    ],
)
def test_errors(overrides, text):
    with pytest.raises(CallError, match=re.escape(text)):
        load_config("lif", overrides)


def test_a_folder_is_needed_only_where_it_is_heard():
    config = load_config("lif", ["noise.kinds=['folder']", "augment.kinds=['folder']"])
    assert config.augment.share == 0
    assert load_config("lif", ["augment.share=1", "augment.kinds=['folder']", "noise.folder='x'"]).noise.folder == "x"
