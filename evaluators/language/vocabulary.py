"""The closed word classes of English, and the words that carry no subject of their own."""

from __future__ import annotations

from evaluators.language.wordlists import word_set

ARTICLES = frozenset(["a", "an", "the"])
DETERMINERS = ARTICLES | word_set("my your his her its our their this that these those every each some any no")
PREPOSITIONS = word_set(
    """
    of in on at by for with from to into onto upon about over under between among through during without within
    against toward towards across behind beside besides beyond near above below around along after before since until
    till per via off out up down like unlike than as despite except inside outside
    """
)
CONJUNCTIONS = word_set(
    """
    and or but nor so yet because although though while whereas if unless whether that which who
    """
)
PRONOUNS = word_set(
    """
    i you he she it we they me him us them myself yourself himself herself itself ourselves themselves one someone
    anyone everyone somebody anybody nobody mine yours hers ours theirs who whom whose which what this that these
    those
    """
)
AUXILIARIES = word_set(
    """
    is are was were be been being am do does did have has had can could will would shall should may might must
    """
)
QUESTION_WORDS = word_set("what who whom whose which when where why how")
NEGATIONS = word_set("not no never none neither nor nothing nobody nowhere hardly unable without")
ADVERBS = word_set(
    """
    very too also just only really quite rather almost even still again once then there here now not never always
    often usually sometimes actually simply well more most less least much many few little other another such own same
    both all etc yes ok okay please
    """
)

FUNCTION_WORDS = DETERMINERS | PREPOSITIONS | CONJUNCTIONS | PRONOUNS | AUXILIARIES | QUESTION_WORDS | NEGATIONS | ADVERBS

TASK_WORDS = word_set(
    """
    true false write list name give tell state complete finish continue describe explain answer reply respond say
    provide create compose make show mention identify define suggest recommend choose pick fill translate rewrite
    summarize summarise sentence sentences word words phrase paragraph line lines item items example examples question
    response number letter one two three four five six seven eight nine ten following blank call called known short
    brief briefly simple single politely polite using use contain contains include includes including start starts
    begin begins exactly most least maximum kind type many much long far old tall often form text story poem haiku
    limerick essay email message slogan title tip tips fact facts way ways reason reasons thing things someone person
    people friend correct right best good
    """
)
"""What instructions are made of whatever they ask about."""

GENERIC_WORDS = word_set(
    """
    thing things stuff something anything everything aspect aspects factor factors way ways kind kinds sort type types
    lot lots number various varied variety several many numerous different difference differences certain particular
    specific general overall important importance significant significance interesting fascinating great good nice
    excellent wonderful complex complicated complexity simple broad wide vast deep rich diverse multiple topic topics
    subject subjects matter matters question questions answer answers issue issues concept idea ideas area areas field
    point points perspective perspectives view views viewpoint opinion opinions context contexts situation situations
    case cases circumstance circumstances condition conditions detail details information consideration considerations
    people person everyone someone anyone somebody others individual individuals human humans society world life lives
    today time times history day days year years past future moment modern consider considered considering depend
    depends depending vary varies mean means say says said think thought thinks believe believes feel feels know known
    knows understand understood understanding discuss discussed look looking looks explore see seen come comes go goes
    get gets make makes made take takes taken give given find found approach involve involves involved relate related
    relates concern concerned regard regarding respect respond response talk talking speak speaking mention need needs
    want wants try tries keep mind remember note noted worth useful helpful able possible possibly perhaps maybe
    probably likely generally typically usually basically essentially ultimately certainly definitely indeed obviously
    clearly truly simply quite widely commonly role part place play plays played end whole always ever often sometimes
    rarely sure course fact truth reality first second third finally next lastly addition additionally furthermore
    moreover however therefore thus hence sense term terms level degree extent form range set bit good-bye further
    else whatever whichever however everybody meaningful relevant essential crucial key vital notable remarkable
    unique special common universal influence influences influenced affect affects impact impacts shape shapes shaped
    exist exists existence long short big small large little high low new old better best worse more less develop
    develops developed developing development change changes changing changed shift shifts grow grows grew emerge
    emerges tend tends remain remains stay stays careful care carefully curious curiosity open honest balance balanced
    attitude attitudes outlook reason reasonable sensible wise value values valued worthwhile meaning meanings
    definite definitive clear unclear simple straightforward easy hard difficult challenge challenges challenging
    tricky nuance nuanced nuances subtle background foundation basis core essence nature character quality qualities
    feature features facet facets layer layers side sides angle angles dimension dimensions scope picture bigger
    closer outcome outcomes result results effect effects consequence consequences goal purpose aim begin begins
    beginning starting step steps path journey process progress experience experiences thoughts reflection reflect
    reflecting wonder wondered wondering ask asked look looked deeper behind everyday ordinary familiar recent
    traditional tradition culture cultural society social personal community approach approached handle deal put
    express describe described conclude conclusion brief interest interests interested appealing remarkable manner
    method argue argued minds mind ages age fact-based amount proper properly nothing back bear behold ideal ideally
    understandable truth tells
    """
)
"""Words that say nothing in particular: an answer made of these alone is filler."""

VAGUE_WORDS = word_set(
    """
    thing things stuff aspect aspects factor factors way ways kind kinds sort sorts type types lot lots various varied
    variety several many numerous different difference differences certain particular specific general overall
    important importance significant significance interesting fascinating great complex complicated complexity broad
    diverse multiple topic topics subject subjects matter matters question questions issue issues concept concepts
    area areas field point points perspective perspectives view views viewpoint opinion opinions context contexts
    situation situations case cases detail details consider considered considering consideration considerations depend
    depends depending vary varies discuss explore involve involves relate relates regard generally typically usually
    basically essentially ultimately definitely meaningful relevant essential crucial vital notable role roles impact
    influence influences everyone
    """
)
"""Generic words of which a few in one sentence make filler."""


def content_words(words: tuple[str, ...] | list[str]) -> list[str]:
    """The words that are not function words."""
    return [word for word in words if word not in FUNCTION_WORDS]
