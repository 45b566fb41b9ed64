"""Which era each of MAESTRO's composers is counted to, decided here in sight; a user's own table goes before it."""

from collections.abc import Mapping
from pathlib import Path

from train.data.csv_table import composed, read_table
from train.errors import CallError, MaestroError
from train.presets import read_preset

_COLUMNS = ("composer", "era")

BAROQUE, CLASSICAL, ROMANTIC, MODERN = "Baroque", "Classical", "Romantic", "Modern"

# Composer, or the last of several as the table writes them ("Franz Schubert / Franz Liszt") -> era.
ERAS: dict[str, str] = {
    "Alban Berg": MODERN,
    "Alexander Scriabin": ROMANTIC,
    "Alfred Grünfeld": ROMANTIC,
    "Antonio Soler": BAROQUE,
    "Carl Maria von Weber": ROMANTIC,
    "Camille Saint-Saëns": ROMANTIC,
    "Charles Gounod": ROMANTIC,
    "Claude Debussy": MODERN,
    "César Franck": ROMANTIC,
    "Domenico Scarlatti": BAROQUE,
    "Edvard Grieg": ROMANTIC,
    "Egon Petri": ROMANTIC,
    "Felix Mendelssohn": ROMANTIC,
    "Ferruccio Busoni": ROMANTIC,
    "Franz Liszt": ROMANTIC,
    "Franz Schubert": ROMANTIC,
    "Fritz Kreisler": ROMANTIC,
    "Frédéric Chopin": ROMANTIC,
    "George Enescu": MODERN,
    "George Frideric Handel": BAROQUE,
    "Georges Bizet": ROMANTIC,
    "Giuseppe Verdi": ROMANTIC,
    "György Cziffra": MODERN,
    "Henry Purcell": BAROQUE,
    "Isaac Albéniz": ROMANTIC,
    "Jean-Philippe Rameau": BAROQUE,
    "Johann Christian Fischer": CLASSICAL,
    "Johann Pachelbel": BAROQUE,
    "Johann Sebastian Bach": BAROQUE,
    "Johann Strauss": ROMANTIC,
    "Johannes Brahms": ROMANTIC,
    "Joseph Haydn": CLASSICAL,
    "Leopold Godowsky": ROMANTIC,
    "Leoš Janáček": MODERN,
    "Ludwig van Beethoven": CLASSICAL,
    "Mikhail Glinka": ROMANTIC,
    "Mikhail Pletnev": ROMANTIC,
    "Mily Balakirev": ROMANTIC,
    "Modest Mussorgsky": ROMANTIC,
    "Moritz Moszkowski": ROMANTIC,
    "Muzio Clementi": CLASSICAL,
    "Myra Hess": BAROQUE,
    "Niccolò Paganini": ROMANTIC,
    "Nikolai Medtner": ROMANTIC,
    "Nikolai Rimsky-Korsakov": ROMANTIC,
    "Orlando Gibbons": BAROQUE,
    "Percy Grainger": MODERN,
    "Pyotr Ilyich Tchaikovsky": ROMANTIC,
    "Richard Wagner": ROMANTIC,
    "Robert Schumann": ROMANTIC,
    "Sergei Rachmaninoff": ROMANTIC,
    "Vladimir Horowitz": ROMANTIC,
    "Vyacheslav Gryaznov": MODERN,
    "Wolfgang Amadeus Mozart": CLASSICAL,
}

# Composer (or pair) -> why another era could be said as well.
DEBATABLE: dict[str, str] = {
    "Alban Berg": "late-Romantic in the Sonata op. 1, which is all that the table has; counted with what it began",
    "Alexander Scriabin": "Romantic up to about op. 50, Modern from the Fifth Sonata on; one composer stays one era",
    "Antonio Soler": "born 1729, between Baroque and Classical; his sonatas follow Scarlatti's",
    "Claude Debussy": "Impressionist: neither Romantic nor, to some, Modern",
    "Domenico Scarlatti": "Baroque by birth (1685); his sonatas point to the Classical",
    "Franz Schubert": "between Classical and Romantic; counted by songs and late sonatas",
    "Franz Liszt / Vladimir Horowitz": "Liszt as a virtuoso of the twentieth century changed him",
    "George Enescu": "the Suite op. 10 (1903) looks back to the Baroque in a language of its own time",
    "Georges Bizet / Ferruccio Busoni": "the Sonatina (1920) is of Busoni's late, freer language",
    "Georges Bizet / Vladimir Horowitz": "variations of the twentieth century, in the manner of Liszt's",
    "Isaac Albéniz": "Iberia (1906) stands between Romantic and Impressionist",
    "Johann Sebastian Bach / Egon Petri": "a transcription of 1944 of Baroque music; counted by its piano writing",
    "Johann Sebastian Bach / Ferruccio Busoni": "Romantic transcription of Baroque music; counted by its piano writing",
    "Johann Sebastian Bach / Franz Liszt": "a Romantic transcription of Baroque music; counted by its piano writing",
    "Johann Sebastian Bach / Myra Hess": "a transcription of 1926 that leaves the Baroque texture as it is",
    "Leoš Janáček": "the Sonata (1905) and In the Mists (1912): late-Romantic or Modern",
    "Ludwig van Beethoven": "Classical up to about 1803, then more and more Romantic; one composer stays one era",
    "Muzio Clementi": "Classical, with pages that Romantics learned from",
    "Nikolai Medtner": "lived to 1951 and wrote as a Romantic",
    "Orlando Gibbons": "died 1625: late Renaissance to most; alone in the table, he gets no era of his own",
    "Percy Grainger": "the Ramble (1928) on a Romantic's duet",
    "Pyotr Ilyich Tchaikovsky / Mikhail Pletnev": "arranged in 1978 in the language of the ballet",
    "Sergei Rachmaninoff": "lived to 1943 and wrote as a Romantic",
    "Sergei Rachmaninoff / György Cziffra": "a paraphrase of the twentieth century",
    "Sergei Rachmaninoff / Vyacheslav Gryaznov": "a concert version of the twenty-first century",
}


def era_of(composer: str, own: Mapping[str, str] | None = None) -> str | None:
    """The era of a composer as the table writes it, None if nobody said; of several, who wrote the notes for piano.

    ``own``, the user's table, goes before the project's, and the whole name before its last part.
    """
    last = composer.rsplit("/", maxsplit=1)[-1].strip()
    for table in (own or {}, ERAS):
        for name in (composer, last):
            if name in table:
                return table[name]
    return None


def read_eras(path: Path) -> dict[str, str]:
    """A user's table: TOML of ``"Composer" = "Era"``, or CSV with the columns composer and era.

    Raises
    ------
    CallError
        No such TOML file or not TOML; a composer with two eras or with none.
    MaestroError
        No such CSV file, or not of this form.
    """
    where = str(path)
    if path.suffix.lower() == ".toml":
        pairs = list(read_preset(path, path.parent, "table of eras").items())
    else:
        pairs = [(row.cells["composer"], row.cells["era"]) for row in read_table(path, _COLUMNS, _COLUMNS).rows]
    found: dict[str, str] = {}
    for name, era in pairs:
        composer = composed(name)
        if not isinstance(era, str) or not era or not composer:
            raise CallError(where, f"{composer!r} has the era {era!r}", allowed='"Composer" = "Era", both words')
        if found.setdefault(composer, era) != era:
            raise CallError(where, f"{composer!r} has two eras: {found[composer]} and {era}", cure="keep one")
    return found


def check_eras(own: Mapping[str, str], composers: set[str], where: str) -> None:
    """Refuse a user's table that names none of the data set's composers: it would change nothing.

    Raises
    ------
    MaestroError
        So it is.
    """
    names = composers | {composer.rsplit("/", maxsplit=1)[-1].strip() for composer in composers}
    if own and not names & set(own):
        raise MaestroError(where, "names none of the table's composers", allowed=f"names such as {min(composers)!r}")
