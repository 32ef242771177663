//! What JavaScript takes for a date.
//!
//! The service asks `new Date(text)` whether an identifier is one, and V8 says
//! yes to far more than ISO 8601: words in front of the first number are
//! skipped, and a lone 1 to 12 is a month. This is V8's reader (`dateparser`)
//! rule by rule, with the day, the time and the zone only checked, not
//! computed; `tests/dates.jsonl` holds verdicts of the real one.

use crate::date_words::{Token, Tokens, Word, between};

/// Whether `new Date(text)` would be a valid date.
pub fn is_date(text: &str) -> bool {
    Reader::new(text).read() == Some(true)
}

#[derive(Default)]
struct Day {
    numbers: Vec<i64>,
    named_month: Option<i64>,
    iso: bool,
}

impl Day {
    fn add(&mut self, number: i64) -> Option<()> {
        (self.numbers.len() < 3).then(|| self.numbers.push(number))
    }

    fn is_valid(&self) -> bool {
        let Some(&first) = self.numbers.first() else {
            return false;
        };
        let second = self.numbers.get(1).copied().unwrap_or(1);
        let third = self.numbers.get(2).copied().unwrap_or(1);
        let is_day = |number| between(number, 1, 31);
        let (year, month, day) = match self.named_month {
            None if self.iso || !is_day(first) => (first, second, third),
            None => (third, first, second),
            Some(month) if !is_day(first) => (first, month, second),
            Some(month) => (second, month, first),
        };
        // The ends of ECMAScript's time, a hundred million days around 1970.
        let in_range = ((-271_821, 4, 20)..=(275_760, 9, 13)).contains(&(year, month, day));
        in_range && between(month, 1, 12) && is_day(day)
    }
}

#[derive(Default)]
struct Time {
    numbers: Vec<i64>,
    twelve_hours: bool,
}

impl Time {
    fn add(&mut self, number: i64) -> Option<()> {
        (self.numbers.len() < 4).then(|| self.numbers.push(number))
    }

    fn add_final(&mut self, number: i64) {
        self.numbers.push(number);
        self.numbers.resize(4, 0);
    }

    /// Whether a number can be the next part of a time that has begun.
    fn expects(&self, number: i64) -> bool {
        match self.numbers.len() {
            1 | 2 => between(number, 0, 59),
            3 => between(number, 0, 999),
            _ => false,
        }
    }

    fn is_valid(&self) -> bool {
        let part = |at: usize| self.numbers.get(at).copied().unwrap_or(0);
        let (hour, minute, second, millisecond) = (part(0), part(1), part(2), part(3));
        if self.twelve_hours && !between(hour, 0, 12) {
            return false;
        }
        let midnight = hour == 24 && minute == 0 && second == 0 && millisecond == 0;
        midnight
            || between(hour, 0, 23)
                && between(minute, 0, 59)
                && between(second, 0, 59)
                && between(millisecond, 0, 999)
    }
}

#[derive(Default)]
struct Zone {
    hour: Option<i64>,
    minute: Option<i64>,
}

impl Zone {
    fn set(&mut self, hour: i64, minute: Option<i64>) {
        self.hour = Some(hour);
        self.minute = minute;
    }

    fn is_utc(&self) -> bool {
        self.hour == Some(0) && self.minute == Some(0)
    }

    fn expects_minute(&self, number: i64) -> bool {
        self.hour.is_some() && self.minute.is_none() && between(number, 0, 59)
    }
}

struct Reader<'a> {
    tokens: Tokens<'a>,
    day: Day,
    time: Time,
    zone: Zone,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Reader {
            tokens: Tokens::new(text),
            day: Day::default(),
            time: Time::default(),
            zone: Zone::default(),
        }
    }

    /// `None` where V8 gives up in the middle of the text.
    fn read(mut self) -> Option<bool> {
        let first = self.iso_date()?;
        self.legacy(first)?;
        Some(self.day.is_valid() && self.time.is_valid())
    }

    /// Reads an ISO date and returns the token it could not use: the legacy
    /// reader goes on from there, keeping what has been read.
    fn iso_date(&mut self) -> Option<Token> {
        if self.tokens.peek().is_sign() {
            let sign = self.tokens.next();
            let Some(year) = self.tokens.peek().fixed(6) else {
                return Some(sign);
            };
            self.tokens.next();
            if sign == Token::Symbol('-') && year == 0 {
                return Some(sign);
            }
            let year = if sign == Token::Symbol('-') {
                -year
            } else {
                year
            };
            self.day.add(year)?;
        } else if let Some(year) = self.tokens.peek().fixed(4) {
            self.tokens.next();
            self.day.add(year)?;
        } else {
            return Some(self.tokens.next());
        }
        for last in [12, 31] {
            if !self.tokens.skip('-') {
                break;
            }
            match self.tokens.peek().fixed(2) {
                Some(number) if between(number, 1, last) => {
                    self.tokens.next();
                    self.day.add(number)?;
                }
                _ => return Some(self.tokens.next()),
            }
        }
        match self.tokens.peek() {
            Token::End => {}
            Token::Word(Word::T, _) => self.iso_time()?,
            _ => return Some(self.tokens.next()),
        }
        self.day.iso = true;
        Some(Token::End)
    }

    /// What follows the `T`: here nothing may be left over.
    fn iso_time(&mut self) -> Option<()> {
        self.tokens.next();
        let hour = self.fixed_between(2, 24)?;
        self.time.add(hour)?;
        let last = if hour == 24 { 0 } else { 59 };
        if !self.tokens.skip(':') {
            return None;
        }
        let minute = self.fixed_between(2, last)?;
        self.time.add(minute)?;
        if self.tokens.skip(':') {
            let second = self.fixed_between(2, last)?;
            self.time.add(second)?;
            if self.tokens.skip('.') {
                let Token::Number { value, .. } = self.tokens.next() else {
                    return None;
                };
                if hour == 24 && value > 0 {
                    return None;
                }
            }
        }
        self.iso_zone()?;
        (self.tokens.next() == Token::End).then_some(())
    }

    fn iso_zone(&mut self) -> Option<()> {
        if self.tokens.peek().is_z() {
            self.tokens.next();
            self.zone.set(0, Some(0));
        } else if self.tokens.peek().is_sign() {
            self.tokens.next();
            let (hour, minute) = match self.tokens.peek().fixed(4) {
                Some(both) => {
                    self.tokens.next();
                    (both / 100, both % 100)
                }
                None => {
                    let hour = self.fixed_between(2, 23)?;
                    if !self.tokens.skip(':') {
                        return None;
                    }
                    (hour, self.fixed_between(2, 59)?)
                }
            };
            if !between(hour, 0, 23) || !between(minute, 0, 59) {
                return None;
            }
            self.zone.set(hour, Some(minute));
        }
        Some(())
    }

    fn fixed_between(&mut self, digits: usize, last: i64) -> Option<i64> {
        let number = self.tokens.next().fixed(digits)?;
        between(number, 0, last).then_some(number)
    }

    fn legacy(&mut self, first: Token) -> Option<()> {
        let mut has_number = !self.day.numbers.is_empty();
        let mut token = first;
        while token != Token::End {
            match token {
                Token::Number { value, .. } => {
                    has_number = true;
                    self.legacy_number(value)?;
                }
                Token::Word(word, _) => self.legacy_word(word, has_number)?,
                Token::Symbol('+' | '-') if self.zone.is_utc() || !self.time.numbers.is_empty() => {
                    has_number = true;
                    self.legacy_zone()?;
                }
                Token::Symbol('+' | '-' | ')') if has_number => return None,
                _ => {}
            }
            token = self.tokens.next();
        }
        Some(())
    }

    fn legacy_number(&mut self, number: i64) -> Option<()> {
        if self.tokens.skip(':') {
            if self.tokens.skip(':') {
                if !self.time.numbers.is_empty() {
                    return None;
                }
                self.time.add(number)?;
                return self.time.add(0);
            }
            self.time.add(number)?;
            self.tokens.skip('.');
        } else if self.tokens.skip('.') && self.time.expects(number) {
            self.time.add(number)?;
            let Token::Number { value, digits } = self.tokens.next() else {
                return None;
            };
            self.time.add_final(milliseconds(value, digits));
        } else if self.zone.expects_minute(number) {
            self.zone.minute = Some(number);
        } else if self.time.expects(number) {
            self.time.add_final(number);
            let next = self.tokens.peek();
            let may_follow =
                matches!(next, Token::End | Token::Space) || next.is_z() || next.is_sign();
            return may_follow.then_some(());
        } else {
            self.day.add(number)?;
            self.tokens.skip('-');
        }
        Some(())
    }

    fn legacy_word(&mut self, word: Word, has_number: bool) -> Option<()> {
        match word {
            Word::AmPm if !self.time.numbers.is_empty() => self.time.twelve_hours = true,
            Word::Month(month) => {
                self.day.named_month = Some(month);
                self.tokens.skip('-');
            }
            Word::Zone(hours) if has_number => self.zone.set(hours, Some(0)),
            // A word that means nothing may only stand in front of the first
            // number, and not touch it.
            _ if has_number || self.tokens.peek().is_number() => return None,
            _ => {}
        }
        Some(())
    }

    /// The number after a sign that is a zone's.
    fn legacy_zone(&mut self) -> Option<()> {
        let (value, digits) = match self.tokens.peek() {
            Token::Number { value, digits } => {
                self.tokens.next();
                (value, digits)
            }
            _ => (0, 0),
        };
        if self.tokens.peek() == Token::Symbol(':') {
            self.zone.set(value, None);
        } else if matches!(digits, 1 | 2) {
            self.zone.set(value, Some(0));
        } else if matches!(digits, 3 | 4) {
            self.zone.set(value / 100, Some(value % 100));
        } else {
            return None;
        }
        Some(())
    }
}

/// The first three digits after the point.
fn milliseconds(value: i64, digits: usize) -> i64 {
    match digits {
        1 => value * 100,
        2 => value * 10,
        _ => {
            let mut value = value;
            // The tokens keep nine digits of a number.
            for _ in 3..digits.min(9) {
                value /= 10;
            }
            value
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_date;

    #[test]
    fn the_verdicts_are_those_of_v8() {
        let mut verdicts = 0;
        for line in include_str!("../tests/dates.jsonl").lines() {
            let (text, verdict): (String, bool) = serde_json::from_str(line).unwrap();
            assert_eq!(is_date(&text), verdict, "{text:?}");
            verdicts += 1;
        }
        assert!(verdicts > 500, "only {verdicts} verdicts were checked");
    }
}
