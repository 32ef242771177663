//! The tokens of V8's date reader.

/// A piece of a text that may be a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    Number { value: i64, digits: usize },
    Symbol(char),
    Word(Word, usize),
    Space,
    Other,
    End,
}

/// A word, as far as it means something in a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    Month(i64),
    AmPm,
    /// The hours it is off Greenwich, without their sign.
    Zone(i64),
    T,
    Nothing,
}

impl Token {
    /// The value of a number of exactly so many digits.
    pub fn fixed(self, wanted: usize) -> Option<i64> {
        match self {
            Token::Number { value, digits } if digits == wanted => Some(value),
            _ => None,
        }
    }

    pub fn is_number(self) -> bool {
        matches!(self, Token::Number { .. })
    }

    pub fn is_sign(self) -> bool {
        matches!(self, Token::Symbol('+' | '-'))
    }

    pub fn is_z(self) -> bool {
        matches!(self, Token::Word(Word::Zone(0), 1))
    }
}

pub fn between(number: i64, first: i64, last: i64) -> bool {
    (first..=last).contains(&number)
}

/// Tokens, with one token of foresight.
pub struct Tokens<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    ahead: Option<Token>,
}

impl<'a> Tokens<'a> {
    pub fn new(text: &'a str) -> Self {
        Tokens {
            rest: text.chars().peekable(),
            ahead: None,
        }
    }

    pub fn peek(&mut self) -> Token {
        match self.ahead {
            Some(token) => token,
            None => {
                let token = self.scan();
                self.ahead = Some(token);
                token
            }
        }
    }

    pub fn next(&mut self) -> Token {
        let token = self.peek();
        self.ahead = None;
        token
    }

    /// Takes the symbol if it is the next token.
    pub fn skip(&mut self, symbol: char) -> bool {
        let there = self.peek() == Token::Symbol(symbol);
        if there {
            self.ahead = None;
        }
        there
    }

    fn scan(&mut self) -> Token {
        let Some(&next) = self.rest.peek() else {
            return Token::End;
        };
        if next.is_ascii_digit() {
            return self.number();
        }
        if is_space(next) {
            self.rest.next();
            return Token::Space;
        }
        if next >= 'A' {
            return self.word();
        }
        if next == '(' {
            self.parentheses();
            return Token::Other;
        }
        self.rest.next();
        match next {
            ':' | '-' | '+' | '.' | ')' => Token::Symbol(next),
            _ => Token::Other,
        }
    }

    /// Nine significant digits count, the rest is read and forgotten.
    fn number(&mut self) -> Token {
        let (mut value, mut digits, mut significant) = (0, 0, 0);
        while let Some(digit) = self.rest.peek().and_then(|next| next.to_digit(10)) {
            self.rest.next();
            digits += 1;
            if significant == 0 && digit == 0 {
                continue;
            }
            if significant < 9 {
                value = value * 10 + i64::from(digit);
            }
            significant += 1;
        }
        Token::Number { value, digits }
    }

    fn word(&mut self) -> Token {
        let mut start = String::new();
        let mut length = 0;
        while let Some(letter) = self.rest.next_if(|&next| next >= 'A' && !is_space(next)) {
            if length < 3 {
                // V8 sets this bit on every character, letter or not.
                let lower = if letter.is_ascii() {
                    char::from(letter as u8 | 0x20)
                } else {
                    letter
                };
                start.push(lower);
            }
            length += 1;
        }
        Token::Word(meaning(&start, length), length)
    }

    fn parentheses(&mut self) {
        let mut depth = 0;
        for next in self.rest.by_ref() {
            match next {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
}

/// Three letters make a month, however long the word; the others are whole words.
fn meaning(start: &str, length: usize) -> Word {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    if let Some(month) = (1..).zip(MONTHS).find(|(_, name)| *name == start) {
        return Word::Month(month.0);
    }
    if length > 3 {
        return Word::Nothing;
    }
    match start {
        "am" | "pm" => Word::AmPm,
        "ut" | "utc" | "z" | "gmt" => Word::Zone(0),
        "edt" => Word::Zone(4),
        "est" | "cdt" => Word::Zone(5),
        "cst" | "mdt" => Word::Zone(6),
        "mst" | "pdt" => Word::Zone(7),
        "pst" => Word::Zone(8),
        "t" => Word::T,
        _ => Word::Nothing,
    }
}

/// ECMAScript's white space and line ends.
fn is_space(next: char) -> bool {
    next == '\u{FEFF}' || (next.is_whitespace() && next != '\u{85}')
}
