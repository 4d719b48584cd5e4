"""The words by which mail software says that a message came back, in the languages in which it says so.

Tables of patterns, and the form of a text that they match (`fold`): lower case, runs of white space as one space. A
pattern stands here because a known server writes it; none is so general that ordinary mail would hold it often.
"""

from __future__ import annotations

import re

_FAILED = (
    # English
    r"(?:could ?(?:not|n't)|can ?not|can't) be (?:delivered|relayed)",
    r"recipients?(?:\(s\))? could not be (?:reached|processed)",
    r"(?:was|were|is|has|have) not (?:been |be )?delivered(?! yet| to you\b| to your (?:mailbox|inbox))",
    r"(?:was|is) undeliverable|undeliverable (?:address|mail|message|to)\b",
    r"not delivered to(?! you\b)",
    r"(?:not|n't)(?: be)? able to deliver|unable to deliver",
    r"(?:could not|couldn't|cannot|can't|failed to) deliver\b",
    r"message not delivered",
    r"did not (?:reach|receive a copy)",
    r"deli?very (?:to .{1,200}? |of your message .{0,100}?)?(?:has |was )?(?:failed|aborted|unsuccessful)",
    r"delivery (?:failure|problems?|errors?)|in (?:an )?e-?mail presumably from you\b",
    r"permanent (?:fatal )?(?:delivery )?errors?",
    r"(?:mail|message) (?:has been|was) (?:returned|rejected|bounced|automatically rejected)",
    r"was automatically rejected",
    r"has been returned because",
    r"(?:address(?:es)?|recipients?) (?:failed|had (?:permanent )?fatal errors)",
    r"failed (?:addresses|recipients)",
    r"(?:error|error description)-(?:for|code):|was detected while processing the enclosed message",
    r"final delivery userid|did not exactly match an",
    r"the following addresses? (?:had|could not)|malformed (?:recipient )?address|address that was incorrectly constructed",
    # German
    r"(?:konnte|kann|konnten|können) (?:leider )?(?:nicht|an .{1,120}? nicht) (?:zugestellt|ausgeliefert|übermittelt|gesendet)",
    r"unzustellbar|nicht (?:zustellbar|zugestellt)|zustellung .{0,80}?(?:fehlgeschlagen|nicht möglich)",
    # French
    r"n'a (?:pas )?pu [eê]tre (?:d[ée]livr|remis|distribu|envoy|achemin|livr)",
    r"(?:échec|echec) (?:de la |de )?(?:remise|distribution|livraison|l'envoi)|n'existe (?:pas|plus)|non remis",
    r"n'a pas été (?:remis|délivré|distribué|acheminé)",
    # Spanish, Portuguese, Italian, Catalan
    r"no (?:pudo|ha podido|puede|se pudo|se ha podido) (?:ser )?entregar?|no (?:ha sido|fue) entregado",
    r"n[ãa]o (?:p[oôó]de|foi poss[íi]vel|foi) (?:ser )?(?:entreg|enviad)|falha (?:na|de) entrega",
    r"(?:impossibile|non è stato possibile|non e' stato possibile) (?:consegnare|recapitare|inoltrare)",
    r"mancat[oa] (?:recapito|consegna)|non recapitabile|non (?:è|e') stato (?:recapitato|consegnato)",
    # Dutch, Scandinavian, Finnish
    r"(?:kon|kan) niet (?:worden )?(?:afgeleverd|bezorgd)|niet (?:bezorgd|afgeleverd)|onbestelbaar",
    r"(?:kunde|kunne|kan) (?:inte|ikke) (?:levereras|leveres|sendes)|ei voitu toimittaa",
    r"lever(?:ing|ans)(?:en)? .{0,80}?(?:mislyk(?:tes|kedes)|misslyckades)|toimitus .{0,80}?epäonnistui",
    # Polish, Czech, Hungarian, Turkish
    r"nie (?:można|udało się|mogła zostać|została) (?:było )?dostarcz|niedostarczon|nelze doručit|nedoručiteln",
    r"(?:nepodarilo|nepodařilo) .{0,20}doruči|(?:nebol|nebyl|nemohl)[aoiy]? .{0,30}doručen|ni(?:je)? (?:bilo )?mog(?:oče|la|lo) .{0,20}(?:dostavi|isporuč)",
    r"kézbesíthetetlen|nem (?:sikerült|lehetett) kézbesíteni|kézbesítés .{0,80}?sikertelen",
    r"teslim edilemedi|iletilemedi|teslim başar",
    # Russian, Ukrainian
    r"не (?:может быть|могло быть|удалось|было|была|был) доставлен|не удалось доставить|недоставленн|не доставлен",
    r"невозможно доставить|не вдалося доставити|не удается доставить|сбой доставки",
    # Greek, Hebrew, Arabic
    r"η παράδοση απέτυχε|δεν είναι δυνατή η παράδοση|δεν παραδόθηκε|המסירה נכשלה|לא ניתן למסירה|فشل التسليم|تعذر تسليم|غير قابل للتسليم",
    # Japanese, Chinese, Korean
    r"配信(?:できません|できなかった|に失敗|不能)|配送(?:できません|に失敗)|送信できません|届けることができません",
    r"(?<!尚)未送达|(?:无法|未能|不能)(?:送达|投递|发送|传递)|投递失败|退信|無法(?:傳送|投遞|送達)|系统退信",
    r"未能向以下收件人|(?:전송|배달|전달)(?:되지|하지|할 수) ?(?:못|않|없)|반송",
)
_CAUSES = (
    r"(?:no such|unknown|invalid) (?:user|recipient|mailbox|address)|user (?:is )?(?:unknown|not known|not found)",
    r"does not exist|doesn't have an? .{1,100} account|no mailbox here|user not listed",
    r"mailbox (?:is )?(?:full|unavailable|disabled|not found)|over (?:disk )?quota|quota exceeded|exceeding their quota",
    r"remote (?:mail )?(?:server|host) returned",
    r"message looping|too many hops|relaying denied|access denied|rejected your message|not a valid user",
)
_DELAYED = (
    r"not yet (?:been )?delivered|not been delivered yet|has been (?:delayed|postponed)|is delayed",
    r"(?:only a )?temporary failure report|will (?:be retried|keep trying)|gmail will retry",
    r"delivery (?:.{0,60} )?(?:has been |is |was )?(?:delayed|postponed)|message (?:will be |is being )?retried",
    r"(?:warning|advisory)[- ]only|this is (?:just )?a warning|this is a warning message only",
    r"could not send (?:the )?message for (?:the )?past|delivery attempts will continue",
    r"we will continue (?:to attempt|to try|trying)",
    # German, Dutch, the North
    r"(?:noch nicht|verzögert) (?:zugestellt|ausgeliefert)|verspätet|zustellung .{0,80}?verzögert|nog niet (?:bezorgd|afgeleverd)|vertraagd",
    r"(?:ännu inte|endnu ikke|ennå ikke) lever|försenad|forsinket|viivästy",
    # French, Spanish, Portuguese, Italian, Romanian
    r"retard(?:é|ée) de la remise|(?:remise|distribution|livraison) .{0,80}?retardée|pas encore (?:été|pu être) (?:remis|distribué|délivré)",
    r"(?:entrega|entregar) .{0,80}?(?:retrasad|atrasad|demorad)|(?:todavía|aún) no (?:se )?ha|ainda não foi (?:entregue|possível)",
    r"consegna .{0,80}?ritard|non è ancora stato (?:consegnato|recapitato)|livrare .{0,80}?întârzi",
    # Slavic languages, Hungarian, Turkish, Greek
    r"opóźni|jeszcze nie (?:został|dostarcz)|nie został[ay]? jeszcze|zpožděn|oneskoren|dosud nebyl|odgođen|задерж|ещё не доставлен|еще не доставлен|ще не доставлен|затримк",
    r"késleltet|késik|gecik|καθυστέρησ",
    # Asia, Semitic languages
    r"(?:配信|配送|送信|投递|傳遞|发送).{0,12}(?:遅延|遅れ|延迟|延遲)|지연|تأخر|התעכב",
    r"尚未(?:送达|投递|送達)|(?:继续|繼續)(?:尝试|嘗試)|再送を試み|아직 (?:전달|배달|전송)",
)
_SUBJECT = (
    r"undeliver(?:ed|able)|unzustellbar|nicht zustellbar|non[- ]?(?:delivery|remis|deliverable)|onbestelbaar",
    r"(?:e-?mail|mail|message)s? (?:could not be delivered|not delivered|undeliverable|failed|failure|delayed|returned|rejected|blocked)",
    (
        r"(?:e-?mail |mail |message )?deli?very (?:status notification|failure|failed|fail|notification|report|problem|error"
        r"|has failed|delay|incomplete|warning|unsuccessful)"
    ),
    r"(?:permanent )?(?:delivery|mail|message) failure|failed (?:mail|delivery)|failure (?:notice|delivery|notification)",
    r"return(?:ed|ing)? (?:mail|message|to sender|email)|rejected (?:mail|message)|automatically rejected",
    r"mail (?:system error|processing error|failed)|processing error|ndn\b|bounce notification",
    r"warning: (?:message|could not send|mail|e-?mail|returned)|delayed mail|warning: .{1,200} - user unknown",
    r"your (?:mail|message|e-?mail) .{0,200}?(?:could not be delivered|was not delivered|was rejected)",
    r"(?:zustell(?:ung|fehler|status)|nicht zugestellt|rückläufer)|(?:échec|notification d'échec|avis de non)",
    r"(?:no se pudo entregar|no entregado|no se puede entregar|error de entrega|mensaje devuelto|notificaci[oó]n de (?:estado|fallo))",
    r"(?:mancata consegna|mancato recapito|impossibile recapitare|n[ãa]o entregue|falha na entrega|devolvid)",
    r"(?:zustellung|bezorging|leverans|levering|remise|entrega|consegna|dostarczanie|doručení|доставка) .{0,20}(?:verzögert|verspätet|vertraagd|försenad|forsinket)",
    r"remise retardée|entrega (?:retrasada|atrasada)|consegna ritardata|opóźniono|doručení (?:je )?zpožděno|доставка задерживается|配信の遅延|延迟|지연",
    r"(?:kan|kunne|kunde) (?:ikke|inte) (?:leveres|levereras)|ikke lever(?:t|et)|olevererbar|toimittamaton",
    r"(?:niedostarczon|zwrot|nedoručiteln|kézbesíthetetlen|teslim edilemedi|недоставлен|не удается доставить|не вдалося доставити|не доставлен|ваше сообщение не|сообщение не)",
    r"未送达|無法傳遞|배달되지 않|δεν είναι δυνατή η παράδοση|לא ניתן למסירה|غير قابل للتسليم|تعذر",
    r"(?:配信|送信|配送|メール).{0,12}(?:失敗|できません|エラー|不能)|退信|投递失败|无法投递|系统退信|반송|전송 실패",
)
_SENDER = (
    r"mailer[-_.]?daemon|post_?master(?:[@<]|\"? *(?:<|$))|mail[-_. ]?delivery|delivery[-_. ]?(?:sub)?system|mdaemon|maildaemon|mail[-_. ]?system",
    r"system administrator|mail administrator|administrator@|smtp[-_ ]?(?:mail[-_ ]?)?(?:service|gateway)|imss@|ndr@",
    r"microsoft outlook|microsoftexchange[0-9a-f]{20,}|mail[-_]?gateway|symantec_antivirus|antivirus",
)
_COPY_BEGINS = (
    r"(?:this is a copy of|below (?:this|the next) line is|(?:included|enclosed) is a copy|original message(?! details)|returned mail|header of the"
    r"|message headers? follow|the header and|copy of the message|unsent message below|(?:the )?(?:complete text of |header of )?(?:your|the|original) (?:original )?message (?:text |header )?follows"
    r"|message (?:text|header) follows|(?:the )?(?:complete )?text of your message follows|returned mail follows|start of returned message|your message reads|return-path: ?<|received: (?:from|by) |mensaje original|message d'origine"
    r"|ursprüngliche nachricht|original-nachricht|messagio originale|messaggio originale|first \d+ lines of your)"
)


def _join(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


FAILED = _join(_FAILED)
"""A message was not delivered, said in prose."""
CAUSE = _join(_CAUSES)
"""Why a message was not delivered: the words of servers, which a warning about one's own mailbox may have as well."""
DELAYED = _join(_DELAYED)
"""A message has not been delivered yet, and is still being tried."""
SUBJECT = re.compile(r"\s*(?:\[[^\]]{1,40}\]\s*|\*+[^*]{1,30}\*+\s*)?(?:" + "|".join(_SUBJECT) + ")")
"""The subject of a bounce, from its beginning: an answer to one begins with `Re:`."""
NO_FAILURE = re.compile(
    r"\bquarantine|welcome to|^successful mail delivery|^postfix smtp (?:server|client)|\b(?:summary|digest|statistics|newsletter)\b"
)
"""The subject of what a mail server writes, too, without having failed."""
CHALLENGE = re.compile(
    r"(?:confirm|verify|release|approve)\b.{0,200}?(?:https?://|-confirm-)|https?://\S{0,100}(?:confirm|verif|challenge)"
)
"""What asks the sender to prove that he is a person."""
OF_MAIL = re.compile(
    r"message|\be?-?mails?\b|recipient|mailbox|smtp|\b[45]\d\d[ -]|[45]\.\d\.\d|nachricht|courriel|mensa[jg]e|messaggio|destinat|письм|сообщени"
    r"|メール|邮件|메일"
)
"""Words that show that mail was not delivered, and not a parcel."""
GREETING = re.compile(
    r"\s*(?:hello|hi|hey|dear|good (?:morning|day)|hallo|guten|liebe|sehr geehrte|bonjour|ch[eè]re?|hola|estimad|ciao|gentile)\b"
)
"""How a person begins a letter."""
ANSWER = re.compile(r"\s*(?:re|aw|antw|sv|vs|fwd?|wg|tr|rv)\s*(?:\[\d+\])?:")
"""The subject of an answer or of a forward."""
SENDER = _join(_SENDER)
"""The author of a bounce: an address or a name that programs use."""
AWAY = re.compile(
    r"\s*(?:auto(?:matic|matische|mated)?[- :]|out of (?:the )?office|abwesen|on vacation|vacation|away from|absen[ct]"
    r"|r[ée]ponse automatique|respuesta autom|risposta autom|resposta autom|автоответ|自動(?:応答|回覆|返信)|自动(?:回复|答复))"
)
"""The subject of an answer that a program gives for a person who is away."""
COPY_BEGINS = re.compile(r"^[\s>*=_|-]*" + _COPY_BEGINS)
"""A line from which on the returned message is quoted."""
TICKET = re.compile(
    r"\s*\[[^\]]{0,40}(?:#|ticket|case |request )[^\]]{0,40}\]|\s*(?:ticket|case|request|incident) ?(?:#|no\.?|id)? ?\d"
)
"""The subject of a receipt by a system of tickets."""
TICKET_HEADERS = frozenset(
    {"x-otrs-loop", "x-znuny-loop", "x-rt-loop-prevention", "rt-ticket", "x-zendesk-from-account-id", "x-freshdesk-ticket-id",
     "x-redmine-host", "x-mantis-id", "x-osticket-id", "x-jira-fingerprint"}
)  # fmt: skip
"""Fields by which systems of tickets know their own mail."""
_SPACE = re.compile(r"\s+")


def fold(text: str) -> str:
    """Give a text in the form in which phrases are looked for in it."""
    return _SPACE.sub(" ", text).lower().replace("\u2019", "'")
