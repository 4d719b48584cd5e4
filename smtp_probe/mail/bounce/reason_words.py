"""What servers write in their users' languages where a mailbox is not there, or is full.

Tables of patterns, and nothing else: one line a language, for text in lower case. English stands in `reason`, among the words
of all the other reasons, which servers hardly translate.
"""

from __future__ import annotations

NO_SUCH_USER = (
    # German, Dutch, the North
    r"unbekannt|existiert nicht|gibt es nicht|nicht (?:gefunden|vorhanden|bekannt|.{0,40}aufgef)",
    r"onbekend|bestaat niet|niet (?:gevonden|bekend)",
    r"ok[aä]nd|finns inte|existerar inte|hittades inte",
    r"findes ikke|finnes ikke|eksisterer ikke|uk(?:endt|jent)|ble(?:v)? ikke fu(?:nnet|ndet)",
    r"tuntema?t(?:on|onta)|ei (?:löydy|löytynyt|ole olemassa)|ei (?:leitud|eksisteeri)|tundmatu",
    # French, Spanish, Catalan, Portuguese, Italian, Romanian
    r"inconnu|inexist|n'existe (?:pas|plus)|introuvable|ne figure (?:pas|plus)|n'a pas été trouv",
    r"no existe|no (?:se|ha sido|fue) enc?ontrad|no se encontr|no se pudo encontrar|no (?:figura|aparece)|desconocid|desconegut",
    r"n[aã]o (?:existe|encontrad|foi encontrad|localizad)|desconhecid",
    r"sconosciut|non (?:esiste|trovat|elencat|(?:è|e') stato trovat)|indirizzo non valido",
    r"nu (?:există|exista|a (?:putut fi )?găsit|a fost găsit)|necunoscut",
    # Slavic and Baltic languages
    r"nie (?:istnieje|znaleziono|został[aoy]? znalezion)|nieznan|brak (?:takiego |takiej )?(?:użytkownik|adresat|odbiorc|skrzynk|konta)",
    r"neexist|nenalezen|neznám|nebyl[aoi]? nalezen|nenašl|nenájd",
    r"ne (?:postoji|obstaja)|nije pronađen|ni bil najden|nepoznat|neznan",
    r"не (?:найден|същест|существ|знайден|існу|зарегистрирован|постоји|постои|намерен)|нет такого|неизвестн|невідом|непознат|(?:такого|такої) \S{1,20} не",
    r"nerast|neegzistuoja|nežinom|neeksist|nav atrast|nezinām",
    # Hungarian, Turkish, Greek
    r"nem (?:létezik|található)|nincs ilyen|ismeretlen",
    r"böyle bir \S{1,12} yok|bulunamad|mevcut değil|bilinmeyen|geçersiz adres",
    r"δεν (?:υπάρχει|βρέθηκε)|άγνωστ|ανύπαρκτ",
    # Semitic languages and Persian
    r"غير (?:موجود|معروف)|لا يوجد|לא (?:קיים|קיימת|נמצא|מוכר)|אינו קיים|وجود ندارد|یافت نشد",
    # Asia
    r"不存在|查無|查无|找不到|未找到|無此|无此|存在しま|見つかり|不明|존재하지|찾을 수 없|없는 (?:사용자|주소|계정)",
    r"không (?:tồn tại|tìm thấy|có người)|tidak (?:ditemukan|ada|dikenal|wujud|dijumpai|terdaftar)|ไม่พบ|ไม่มี(?:ผู้ใช้|อยู่)|मौजूद नहीं",
)
"""The recipient is not there."""
MAILBOX_FULL = (
    r"(?:postfach|mailbox|konto) .{0,20}(?:voll|überfüllt)|zu ?viele mails|speicherplatz",
    r"(?:postvak|mailbox|postbus|brevbox).{0,20}\bvol\b|(?:brevlåda|inkorg|postkasse|postboks|indbakke).{0,30}\bfu(?:ll|ld)\b|täynnä",
    r"bo[iî]te .{0,40}pleine|quota .{0,20}(?:dépass|atteint)|espace .{0,20}insuffisant",
    r"(?:buz[oó]n|bústia|cuota).{0,40}(?:llen[oa]|plena|exced|super)|caixa .{0,40}(?:cheia|lotada|exced)|casella .{0,40}piena",
    r"căsuța .{0,30}plină|(?:skrzynka|konto) .{0,30}(?:pełn|przepełnion)|przekrocz\S{0,5} .{0,20}(?:limit|pojemno)",
    r"schránka .{0,40}(?:plná|přeplněn|preplnen)|sandučić .{0,20}pun|nabiralnik .{0,20}poln|megtelt|betelt",
    r"переполнен|переповнен|препълнен|полон\b|dolu\b|kota(?:s|y)|πλήρ|γεμάτ|dėžutė .{0,20}(?:pilna|perpildyta)|postkast .{0,20}täis",
    r"ممتلئ|מלאה?\b|پر است",
    r"邮箱(?:空间)?已?满|(?:已满|已滿)|空间不足|容量|いっぱい|満杯|가득|용량|đã? ?đầy|penuh|เต็ม",
)
"""The recipient's mailbox is full."""
