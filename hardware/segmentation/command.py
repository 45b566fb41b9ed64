"""The command: run what is missing, and leave result, summary and pictures."""

from pathlib import Path

from train.console import emit_json, say


def segmentation(source: str, seeds: int | None, out: Path | None, workers: int, as_json: bool) -> None:
    """Run the experiment of ``source``; all that it leaves lies in ``out``, or in ``runs/NAME``."""
    # Before torch is loaded, so that a typing error is told at once.
    from hardware.experiment import load_experiment

    experiment = load_experiment(source, seeds=seeds)
    folder = out or Path("runs") / experiment.name
    from hardware.figures import draw
    from hardware.segmentation.experiment import segment
    from hardware.segmentation.figures import PICTURES
    from hardware.segmentation.summary import emit, write_summary

    result = segment(experiment, folder, workers)
    pictures = draw(result, folder, PICTURES)
    write_summary(result, folder / "summary.md", pictures)
    say(f"wrote {folder / 'segmentation.json'}, {folder / 'summary.md'} and {len(pictures)} pictures")
    if as_json:
        emit_json(result)
    else:
        emit(result)
