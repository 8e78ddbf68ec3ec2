"""The commands and their options. Torch is imported only inside a command that needs it."""

from pathlib import Path
from typing import Annotated

import typer

from narrows.cli.talk import Talk
from narrows.cli.tasks import Tasks

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    # Plain text: the framed help of rich takes longer to import than all the rest together.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

training = typer.Typer(cls=Tasks, rich_markup_mode=None, subcommand_metavar="")
app.add_typer(training, name="train")

page = typer.Typer(rich_markup_mode=None, subcommand_metavar="[export RUN]")
app.add_typer(page, name="studio")

Json = Annotated[bool, typer.Option("--json", help="Give the result as one JSON object on standard output.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="PATH=VALUE of the recipe, such as bottleneck.size=64; may be repeated."),
]
Source = Annotated[
    str, typer.Argument(help="A data set by name (see `narrows data`), or a file or folder.", show_default=False)
]
OtherSource = Annotated[
    str | None,
    typer.Argument(help="Objects to use; those of the data the model was trained on if left out.", show_default=False),
]
SplitPart = Annotated[
    str | None,
    typer.Option(
        help="train, valid, test or all; if left out: all of a source that is named, else the test objects"
        " (map: all pixels of a scene).",
        show_default=False,
    ),
]
RunFolder = Annotated[Path, typer.Argument(help="The folder of a run.", show_default=False)]
Seed = Annotated[int, typer.Option(help="Decides what is drawn at random.")]
Force = Annotated[bool, typer.Option("--force", help="Replace an earlier run in that folder.")]

Table = Annotated[Path, typer.Argument(help="A table: .csv, .tsv, .txt or .parquet.", show_default=False)]
TimeColumn = Annotated[str | None, typer.Option(help="Column that orders the rows: only the past is fitted.")]
CustomerColumn = Annotated[
    str | None, typer.Option(help="Column that says whose a row is; with --time its history is used.")
]
AmountColumn = Annotated[str | None, typer.Option(help="Column that is summed in the history of a customer.")]
LeaveOut = Annotated[list[str] | None, typer.Option("--leave-out", help="A column not to use; may be repeated.")]
Alerts = Annotated[int | None, typer.Option(help="Alarms there may be, in all or --per hour, day or week.", min=1)]
Per = Annotated[str, typer.Option(help="hour, day, week or all.")]
Share = Annotated[float | None, typer.Option(help="Share of the rows that raise an alarm; .01 if left out.")]
FalseAlarms = Annotated[
    float | None, typer.Option(help="Share of the normal rows that may raise an alarm, by p-value.")
]
MissCost = Annotated[
    float | None,
    typer.Option(help="The least cost, where a missed odd row costs as much as so many false alarms; needs --label."),
]
Precision = Annotated[
    float | None, typer.Option(help="Share of the alarms that must be right, by the rows that --label calls odd.")
]
SeriesFlag = Annotated[
    bool,
    typer.Option("--series", help="The rows are instants of a recording, in the order of time; columns are channels."),
]
Window = Annotated[int | None, typer.Option(help="Rows of a window of a series; by its period if left out.", min=4)]
Architecture = Annotated[
    str | None, typer.Option(help="Autoencoders of the windows of a series: dense, conv or lstm; dense if left out.")
]


def tell_version(asked: bool) -> None:
    """Print the version, and end."""
    if asked:
        from narrows import __version__

        typer.echo(f"narrows {__version__}")
        raise typer.Exit


@app.callback()
def narrows(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=tell_version, is_eager=True)
    ] = False,
) -> None:
    """Learn, tinker with, see and use autoencoders."""


@training.callback(invoke_without_command=True)
def train(
    source: Annotated[
        str | None, typer.Argument(help="A data set by name (see `narrows data`), or a file or folder.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write the run to; runs/NAME-NETWORK if left out.")] = None,
    network: Annotated[str, typer.Option(help="dense, conv, lstm or unet.")] = "dense",
    bottleneck: Annotated[
        str, typer.Option(help="plain, sparse-l1, sparse-kl, sparse-topk, contractive, variational, vq or fsq.")
    ] = "plain",
    code: Annotated[int | None, typer.Option(help="Numbers in the code.")] = None,
    corruption: Annotated[
        str | None,
        typer.Option(
            help="none, gaussian, salt-pepper, mask-pixels, mask-patches or mask-spans; none if left out.",
            show_default=False,
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Times every training object is seen.")] = None,
    seed: Annotated[
        int | None, typer.Option(help="Decides the first weights, the order of the objects and every corruption.")
    ] = None,
    set_: Set = None,
    recipe: Annotated[Path | None, typer.Option(help="A recipe.json to start from.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Go on with the interrupted run in this folder.")] = None,
    force: Force = False,
    json_: Json = False,
    debug: Debug = False,
) -> None:
    """Train an autoencoder, and say how well it does beside PCA."""
    from narrows.cli.train import resume_run, train_new

    talk = Talk(json_)
    shortcuts = {"corruption": corruption, "bottleneck.size": code, "training.epochs": epochs, "seed": seed}
    if resume is not None:
        talk.end(resume_run(talk, resume, [source, out, recipe, *shortcuts.values(), *(set_ or [])]))
        return
    changes = [f"{path}={value}" for path, value in shortcuts.items() if value is not None] + (set_ or [])
    talk.end(train_new(talk, source, out, network, bottleneck, changes, recipe, force))


@app.command()
def reconstruct(
    run: RunFolder,
    source: OtherSource = None,
    out: Annotated[Path, typer.Option(help="A .png sheet of input, output and error, or the outputs as .npy.")] = Path(
        "reconstruction.png"
    ),
    count: Annotated[int, typer.Option(help="Objects on the sheet.", min=1, max=96)] = 12,
    seed: Seed = 0,
    split: SplitPart = None,
    json_: Json = False,
    debug: Debug = False,
) -> None:
    """Rebuild objects through the code. PCA of the same size is shown beside it."""
    from narrows.cli.use import reconstruct as work

    talk = Talk(json_)
    talk.end(work(talk, run, source, out, count, seed, split))


@app.command()
def encode(
    run: RunFolder,
    source: OtherSource = None,
    out: Annotated[Path, typer.Option(help="Codes as .npy or .csv.")] = Path("codes.npy"),
    split: SplitPart = None,
    json_: Json = False,
    debug: Debug = False,
) -> None:
    """Turn objects into codes."""
    from narrows.cli.use import encode as work

    talk = Talk(json_)
    talk.end(work(talk, run, source, out, split))


@app.command()
def decode(
    run: RunFolder,
    codes: Annotated[
        Path, typer.Argument(help="Codes as .npy or .csv, as `narrows encode` writes them.", show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="Objects as .npy, or a .png sheet of them.")] = Path("decoded.npy"),
    json_: Json = False,
    debug: Debug = False,
) -> None:
    """Turn codes back into objects."""
    from narrows.cli.use import decode as work

    talk = Talk(json_)
    talk.end(work(talk, run, codes, out))


@app.command()
def generate(
    run: RunFolder,
    out: Annotated[Path, typer.Option(help="A .png sheet, or objects as .npy.")] = Path("generated.png"),
    count: Annotated[int, typer.Option(help="Objects to make, or steps between two.", min=2, max=96)] = 24,
    between: Annotated[
        str | None,
        typer.Option(
            help="Two numbers of test objects, counted from 0, such as 3,17: make the way from one to the other."
        ),
    ] = None,
    seed: Seed = 0,
    json_: Json = False,
    debug: Debug = False,
) -> None:
    """Make new objects. They come from random codes, or lie on the way between two objects."""
    from narrows.cli.use import generate as work

    talk = Talk(json_)
    talk.end(work(talk, run, out, count, between, seed))


@app.command(name="map")
def map_(
    run: RunFolder,
    source: OtherSource = None,
    out: Annotated[Path, typer.Option(help="A .png or .svg picture, or a self-contained .html page.")] = Path(
        "map.png"
    ),
    projection: Annotated[
        str, typer.Option(help="auto (the code itself if it has two numbers, else PCA), pca or tsne.")
    ] = "auto",
    limit: Annotated[int, typer.Option(help="Most objects to draw.", min=3)] = 10_000,
    seed: Seed = 0,
    split: SplitPart = None,
    json_: Json = False,
    debug: Debug = False,
) -> None:
    """Draw the latent space. Each dot is one object, coloured by class."""
    from narrows.cli.use import draw_map

    talk = Talk(json_)
    talk.end(draw_map(talk, run, source, out, projection, limit, seed, split))


@app.command()
def export(
    run: RunFolder,
    to: Annotated[str, typer.Option(help="Format of the file: onnx.")] = "onnx",
    out: Annotated[
        Path | None, typer.Option(help="File to write, .onnx; PART.onnx in the folder of the run if left out.")
    ] = None,
    part: Annotated[
        str,
        typer.Option(
            help="whole (raw objects to raw objects), encoder (raw objects to codes) or decoder (codes to raw objects)."
        ),
    ] = "whole",
    json_: Json = False,
    debug: Debug = False,
) -> None:
    """Write a model as a file that runs without narrows.

    The file is checked against the model before it is handed out. Any number of objects goes in. Series of any
    length go into the encoder of an LSTM with network.chunk=1 alone: an LSTM's decoder has learned a bias for each
    step, so its length is fixed.
    """
    from narrows.cli.export import export as work

    talk = Talk(json_)
    talk.end(work(talk, run, to, out, part))


@app.command()
def detect(
    table: Table,
    out: Annotated[
        Path | None,
        typer.Option(help="Table to write, with score, p_value, alarm and because; NAME-scored if left out."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Report to write, one .html page; NAME-report.html if left out.")
    ] = None,
    label: Annotated[
        str | None, typer.Option(help="Column that says which rows are odd: used to judge, never to learn from.")
    ] = None,
    time: TimeColumn = None,
    customer: CustomerColumn = None,
    amount: AmountColumn = None,
    leave_out: LeaveOut = None,
    alerts: Alerts = None,
    per: Per = "all",
    share: Share = None,
    false_alarms: FalseAlarms = None,
    miss_cost: MissCost = None,
    precision: Precision = None,
    save: Annotated[Path | None, typer.Option(help="Folder to save the model to, for --model later.")] = None,
    model: Annotated[Path | None, typer.Option(help="Folder of a model to score by, instead of fitting one.")] = None,
    feedback: Annotated[
        Path | None,
        typer.Option(help="A scored table in whose column --label a person said of some rows whether they are odd."),
    ] = None,
    peers: Annotated[
        bool | None,
        typer.Option("--peers/--no-peers", help="Put the classical methods beside it; left out with --model."),
    ] = None,
    series: SeriesFlag = False,
    window: Window = None,
    architecture: Architecture = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Score the rows of a growing text file as they come, until Ctrl-C.")
    ] = False,
    seed: Seed = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    json_: Json = False,
    debug: Debug = False,
) -> None:
    """Find the odd rows of a table, and say why they are odd.

    Without --model each row is scored by models that did not see it, by folds in time where a column of time is named.
    """
    from narrows.cli.detect import detect as work
    from narrows.cli.detect import refuse_options, rule_of
    from narrows.detect.rows import Columns

    talk = Talk(json_)
    columns = Columns(label, time, customer, amount, tuple(leave_out or ()))
    rule = rule_of(
        alerts=alerts, per=per, share=share, false_alarms=false_alarms, miss_cost=miss_cost, precision=precision
    )
    of_series = {"--window": window, "--architecture": architecture, "--follow": follow}
    of_tables = {"--customer": customer, "--amount": amount, "--feedback": feedback, "--peers": peers}
    if series:
        from narrows.cli.series import detect_series

        talk.end(
            detect_series(
                talk, table, columns=columns, rule=rule, model=model, save=save, out=out, report=report,
                window=window, architecture=architecture, follow=follow, seed=seed, force=force, others=of_tables,
            )
        )  # fmt: skip
        return
    refuse_options(of_series, "without --series")
    talk.end(
        work(
            talk, table, columns=columns, rule=rule, model=model, feedback=feedback, save=save, out=out, report=report,
            peers=peers, seed=seed, force=force,
        )
    )  # fmt: skip


@training.command("detect")
def train_detect(
    table: Table,
    out: Annotated[Path | None, typer.Option(help="Folder to save the model to; NAME-model if left out.")] = None,
    label: Annotated[
        str | None,
        typer.Option(help="Column that says which rows are odd: they are not learned, and judge the model."),
    ] = None,
    time: TimeColumn = None,
    customer: CustomerColumn = None,
    amount: AmountColumn = None,
    leave_out: LeaveOut = None,
    alerts: Alerts = None,
    per: Per = "all",
    share: Share = None,
    false_alarms: FalseAlarms = None,
    miss_cost: MissCost = None,
    precision: Precision = None,
    series: SeriesFlag = False,
    window: Window = None,
    architecture: Architecture = None,
    seed: Seed = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace a model that is there.")] = False,
    json_: Json = False,
    debug: Debug = False,
) -> None:
    """Learn the usual rows of a table, to find odd ones in other tables: narrows detect TABLE --model FOLDER.

    A fifth of the rows, the last ones where a column of time is named, sets the threshold and is not learned.
    """
    from narrows.cli.detect import refuse_options, rule_of
    from narrows.cli.detect import train_detect as work
    from narrows.detect.rows import Columns

    talk = Talk(json_)
    columns = Columns(label, time, customer, amount, tuple(leave_out or ()))
    rule = rule_of(
        alerts=alerts, per=per, share=share, false_alarms=false_alarms, miss_cost=miss_cost, precision=precision
    )
    of_series = {"--window": window, "--architecture": architecture}
    if series:
        from narrows.cli.series import train_series

        others = {"--customer": customer, "--amount": amount}
        talk.end(
            train_series(
                talk, table, columns=columns, rule=rule, out=out, window=window, architecture=architecture,
                seed=seed, force=force, others=others,
            )
        )  # fmt: skip
        return
    refuse_options(of_series, "without --series")
    talk.end(work(talk, table, columns=columns, rule=rule, out=out, seed=seed, force=force))


@app.command()
def compare(
    source: Source,
    out: Annotated[Path, typer.Option(help="A .png or .svg picture.")] = Path("compare.png"),
    sizes: Annotated[str, typer.Option(help="Numbers in the code, with commas.")] = "2,4,8,16,32,64",
    networks: Annotated[str, typer.Option(help="Networks, with commas.")] = "dense,conv,lstm",
    epochs: Annotated[
        int | None, typer.Option(help="Epochs of each; the default for the data if left out.", min=1)
    ] = None,
    set_: Set = None,
    limit: Annotated[int | None, typer.Option(help="Train on at most this many objects.", min=10)] = None,
    seed: Seed = 0,
    json_: Json = False,
    debug: Debug = False,
) -> None:
    """Draw error against code size. A line a network, and PCA's."""
    from narrows.cli.train import compare as work

    talk = Talk(json_)
    talk.end(work(talk, source, out, sizes, networks, epochs, set_ or [], limit, seed))


@app.command()
def data(json_: Json = False, debug: Debug = False) -> None:
    """List the data sets. Says what they are, whether they are here, their licence and where they come from."""
    from narrows.cli.about import list_data

    talk = Talk(json_)
    talk.end(list_data(talk))


@app.command()
def info(
    what: Annotated[
        str | None, typer.Argument(help="The folder of a run, a data set, or a file.", show_default=False)
    ] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of a recipe.")] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="PATH=VALUE of the data, such as data.side=64; may be repeated.")
    ] = None,
    json_: Json = False,
    debug: Debug = False,
) -> None:
    """Say what a run, a data set or a file is. Without one, say what is installed here."""
    from narrows.cli.about import describe

    talk = Talk(json_ or schema)
    talk.end(describe(talk, what, schema, set_ or []))


@page.callback(invoke_without_command=True)
def studio(
    context: typer.Context,
    runs: Annotated[Path, typer.Option(help="Folder that holds the runs.")] = Path("runs"),
    host: Annotated[str, typer.Option(help="Address to listen on; the default is this machine alone.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65_535)] = 0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address and open no browser.")] = False,
    at_once: Annotated[int, typer.Option(help="Trainings under way at the same time.", min=1, max=16)] = 1,
    json_: Json = False,
    debug: Debug = False,
) -> None:
    """Open a page on which autoencoders are seen at work. Ctrl-C ends it."""
    if context.invoked_subcommand:
        return
    from narrows.cli.studio import studio as work

    talk = Talk(json_)
    talk.end(work(talk, runs, host, port, not no_browser, at_once))


@page.command("export")
def studio_export(
    run: RunFolder,
    out: Annotated[Path | None, typer.Option(help="File to write, .html; RUN.html if left out.")] = None,
    tsne: Annotated[bool, typer.Option("--tsne", help="Put the map by t-SNE in it too, which takes a while.")] = False,
    json_: Json = False,
    debug: Debug = False,
) -> None:
    """Write a run as one HTML file, which opens anywhere and needs no server.

    Its map, its network and its objects are in it: up to 10,000 of them, fewer of large ones.
    """
    from narrows.cli.studio import one_file as work

    talk = Talk(json_)
    talk.end(work(talk, run, out, tsne))


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the pictures and the models.")] = Path("demo"),
    json_: Json = False,
    debug: Debug = False,
) -> None:
    """Train dense, conv and LSTM autoencoders. On digits and letters, in about a minute."""
    from narrows.cli.demo import demo as work

    talk = Talk(json_)
    talk.end(work(talk, out))
