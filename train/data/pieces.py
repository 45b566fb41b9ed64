"""The titles of the embedded corpus: which score of music21's, of which era, under which terms.

The terms were read in the files themselves (rights, encoder, source, credits) and in music21's
``corpus/license.txt``. Compositions are out of copyright everywhere a life plus 70 years counts. Left out
because their file reserves rights, or says "Copyright" and no more: Palestrina's masses, Monteverdi's fifth
book, Schubert's Lindenbaum, Clara Schumann's trio. Left out because the arranger may still be protected:
Verdi's La donna e mobile.
"""

from dataclasses import dataclass

STYLES = ("Baroque", "Classical", "Renaissance", "Romantic")

UNSTATED = "none stated in the file; distributed by music21 with its encoder's permission (corpus/license.txt)"
# What corpus/license.txt says of the whole collection, for the data card.
COLLECTION = (
    "music21's corpus/license.txt: encoded compositions distributed with the permission of the encoders "
    "(and, where needed, the composers or arrangers) and where permitted under United States copyright law; "
    "some encodings may not be used commercially or have other restrictions, stated in the files."
)
_GPL = "GNU GPL, version 2 or later (the file's header)"


@dataclass(frozen=True)
class Piece:
    """One title.

    Parameters
    ----------
    title
        The label, composer first.
    path
        File inside music21's ``corpus`` folder.
    composer, style
        Who wrote it, and the era this project counts it to.
    tempo_bpm
        Quarter notes a minute around which performances vary: this project's choice after the piece's
        tempo words, because few of the files carry a mark.
    encoder, licence
        As the file states them.
    start_ql
        Where to start, in quarter notes from the file's beginning.
    """

    title: str
    path: str
    composer: str
    style: str
    tempo_bpm: float
    encoder: str
    licence: str = UNSTATED
    start_ql: float = 0.0

    @property
    def slug(self) -> str:
        """The title as a file name."""
        words = "".join(c if c.isascii() and c.isalnum() else " " for c in self.title.lower()).split()
        return "-".join(words)


# Decided here, in sight: D. Luca's generation (about 1420) counts as Renaissance, Carl Philipp
# Emanuel Bach and early Beethoven as Classical, Weber and Amy Beach (1914) as Romantic.
PIECES: tuple[Piece, ...] = (
    Piece(
        "Josquin: Mille regrets",
        "josquin/milleRegrets.abc",
        "Josquin des Prez",
        "Renaissance",
        138,
        "Laura E. Conrad (1999)",
        _GPL,
    ),
    Piece(
        "Josquin: Adieu mes amours",
        "josquin/adieuMesAmours.abc",
        "Josquin des Prez",
        "Renaissance",
        192,
        "Laura E. Conrad (1999)",
        _GPL,
    ),
    Piece(
        "Luca: Gloria (Q 15)",
        "luca/gloria.xml",
        "D. Luca",
        "Renaissance",
        100,
        "Michael Scott Cuthbert (2010)",
        "CC BY-SA 3.0",
    ),
    Piece(
        "Lusitano: Allor che ignuda",
        "lusitano/allor_che_ignuda.mxl",
        "Vicente Lusitano",
        "Renaissance",
        104,
        "Michael Scott Asato Cuthbert (2022)",
        "CC0 / public domain",
    ),
    Piece(
        "Monteverdi: La giovinetta pianta",
        "monteverdi/madrigal.3.1.mxl",
        "Claudio Monteverdi",
        "Renaissance",
        132,
        "not named (Finale, 2011)",
    ),
    Piece(
        "Monteverdi: Ah, dolente partita",
        "monteverdi/madrigal.4.1.mxl",
        "Claudio Monteverdi",
        "Renaissance",
        120,
        "not named (Sibelius)",
    ),
    Piece(
        "Bach: Prelude in C major, BWV 846",
        "bach/bwv846.mxl",
        "Johann Sebastian Bach",
        "Baroque",
        72,
        "not named (MuseScore, 2013; source musescore.com/score/117279)",
    ),
    Piece(
        "Bach: Nun seid ihr wohl gerochen, BWV 248/64",
        "bach/bwv248.64-6.mxl",
        "Johann Sebastian Bach",
        "Baroque",
        96,
        "not named (Finale, 2007)",
    ),
    Piece(
        "Bach: Lass uns das Jahr vollbringen, BWV 190/7",
        "bach/bwv190.7-inst.mxl",
        "Johann Sebastian Bach",
        "Baroque",
        84,
        "not named (Finale, 2007)",
    ),
    Piece(
        "Bach: Chorale, BWV 66/6",
        "bach/bwv66.6.mxl",
        "Johann Sebastian Bach",
        "Baroque",
        72,
        "not named (Finale, 2008)",
    ),
    Piece(
        "Corelli: Grave, Op. 3 No. 1",
        "corelli/opus3no1/1grave.xml",
        "Arcangelo Corelli",
        "Baroque",
        58,
        "Michael Scott Cuthbert (2014)",
        "CC BY",
    ),
    Piece(
        "Handel: Lascia ch'io pianga",
        "handel/rinaldo/Lascia_chio_pianga.mxl",
        "George Frideric Handel",
        "Baroque",
        72,
        "not named (MuseScore, 2011)",
        # The recitative before the aria is left out.
        start_ql=48.0,
    ),
    Piece(
        "C.P.E. Bach: Poco adagio, H. 186",
        "cpebach/h186.mxl",
        "Carl Philipp Emanuel Bach",
        "Classical",
        54,
        "not named (Finale, 2022)",
    ),
    Piece(
        "Haydn: Presto, Op. 1 No. 1",
        "haydn/opus1no1/movement1.mxl",
        "Joseph Haydn",
        "Classical",
        160,
        "not named (MuseScore, 2017)",
    ),
    Piece(
        "Haydn: Andantino grazioso, Op. 74 No. 1",
        "haydn/opus74no1/movement2.mxl",
        "Joseph Haydn",
        "Classical",
        60,
        "not named (Finale)",
    ),
    Piece(
        "Mozart: Allegro, K. 545",
        "mozart/k545/movement1_exposition.mxl",
        "Wolfgang Amadeus Mozart",
        "Classical",
        132,
        "not named (Finale, 2012)",
    ),
    Piece(
        "Mozart: Molto allegro, K. 155",
        "mozart/k155/movement3.mxl",
        "Wolfgang Amadeus Mozart",
        "Classical",
        126,
        "not named (Finale)",
    ),
    Piece(
        "Beethoven: Adagio, Op. 18 No. 1",
        "beethoven/opus18no1/movement2.krn",
        "Ludwig van Beethoven",
        "Classical",
        69,
        "Craig Stuart Sapp (2004)",
    ),
    Piece(
        "Weber: Concertino, Op. 26",
        "weber/concertino_clarinet.mxl",
        "Carl Maria von Weber",
        "Romantic",
        66,
        "Oliver Seely (1998)",
        "released to the public domain in 1998",
    ),
    Piece(
        "Chopin: Mazurka, Op. 6 No. 2",
        "chopin/mazurka06-2.krn",
        "Frederic Chopin",
        "Romantic",
        160,
        "Craig Stuart Sapp (2005)",
    ),
    Piece(
        "Clara Schumann: Polonaise, Op. 1 No. 1",
        "schumann_clara/polonaise_op1n1.mxl",
        "Clara Schumann",
        "Romantic",
        92,
        "Cypressdome (2015)",
        "CC BY-SA 4.0",
    ),
    Piece(
        "Robert Schumann: Scherzo, Op. 41 No. 1",
        "schumann_robert/opus41no1/movement2.mxl",
        "Robert Schumann",
        "Romantic",
        190,
        "not named (Finale)",
    ),
    Piece(
        "Robert Schumann: Aus meinen Traenen, Op. 48 No. 2",
        "schumann_robert/dichterliebe_no2.xml",
        "Robert Schumann",
        "Romantic",
        56,
        "Michael Scott Cuthbert (2011)",
    ),
    Piece(
        "Beach: Prayer of a Tired Child, Op. 75 No. 4",
        "beach/prayer_of_a_tired_child.musicxml",
        "Amy Beach",
        "Romantic",
        66,
        "Michael Scott Cuthbert (2017)",
        "CC BY-SA, most uses allowed for free",
    ),
)

BY_TITLE = {piece.title: piece for piece in PIECES}
