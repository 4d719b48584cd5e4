# ruff: noqa: RUF001 - mail software speaks Russian, too
"""Reasons in the languages of the world; each pattern compiles, and ordinary words are none of them."""

import re

import pytest

from smtp_probe.mail.bounce import reason_words
from smtp_probe.mail.bounce.reason import find_reason
from smtp_probe.mail.bounce.report import BounceReport

NO_SUCH_USER = (
    "Empfänger unbekannt", "de gebruiker bestaat niet", "användaren finns inte", "modtageren findes ikke", "tuntematon käyttäjä",
    "cet utilisateur est introuvable", "el usuario no existe", "usuário desconhecido", "utente sconosciuto", "utilizatorul nu există",
    "nie ma: nieznany odbiorca", "schránka neexistuje", "korisnik ne postoji", "пользователь не найден", "користувач не існує",
    "vartotojas nerastas", "nincs ilyen felhasználó", "böyle bir kullanıcı yok", "ο χρήστης δεν υπάρχει", "المستخدم غير موجود",
    "המשתמש לא קיים", "کاربر وجود ندارد", "收件人不存在", "查無此使用者", "宛先が見つかりません", "존재하지 않는 사용자", "người dùng không tồn tại",
    "pengguna tidak ditemukan", "ไม่พบผู้ใช้",
)  # fmt: skip
FULL = (
    "das Postfach ist voll", "de mailbox is vol", "brevlådan är full", "la boîte est pleine", "buzón lleno", "caixa postal cheia",
    "casella di posta piena", "skrzynka jest pełna", "schránka je plná", "почтовый ящик переполнен", "posta kutusu dolu", "邮箱已满",
    "容量を超えています", "kotak surat penuh", "กล่องจดหมายเต็ม", "صندوق البريد ممتلئ", "התיבה מלאה",
)  # fmt: skip
HARMLESS = "thank you for your order of the full set; the tank is full. vielen dank. merci. gracias. grazie. спасибо. ありがとう。谢谢。"


@pytest.mark.parametrize("words", NO_SUCH_USER)
def test_nobody_there(words):
    assert find_reason(BounceReport(kind="prose", diagnostic=words)) == "no_such_user"


@pytest.mark.parametrize("words", FULL)
def test_no_room(words):
    assert find_reason(BounceReport(kind="prose", diagnostic=words)) == "mailbox_full"


@pytest.mark.parametrize("pattern", reason_words.NO_SUCH_USER + reason_words.MAILBOX_FULL)
def test_ordinary_words_are_none_of_them(pattern):
    assert re.search(pattern, HARMLESS) is None
