//! The command line of both programs: one table gives flags, variables, help and error messages.
//!
//! A flag overrides its variable, and an invalid variable is an error only where it would be used.
//! Knows options and Portuguese; never knows what an option is for.

use lexopt::{Arg, Parser};
use std::ffi::{OsStr, OsString};

/// Largest number of typing errors for which an option is suggested.
const MAX_TYPING_ERRORS: usize = 3;

/// A command line or variable that can't be used: the sentence to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageError(pub String);

/// What an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    /// Nothing.
    Switch,
    /// One value, which the help calls this.
    Value(&'static str),
    /// A value each time; a variable has them separated by commas.
    List(&'static str),
}

/// Applies a value to the options being read.
pub(crate) type Setter<T> = fn(&mut T, &str) -> Result<(), UsageError>;
/// The same, for a path, which need not be valid UTF-8.
pub(crate) type PathSetter<T> = fn(&mut T, &OsStr) -> Result<(), UsageError>;

/// How an option takes its value.
enum AnySetter<T> {
    Text(Setter<T>),
    Path(PathSetter<T>),
}

/// One option of a program whose options are collected in a `T`.
pub struct OptionSpec<T> {
    long: &'static str,
    argument: Argument,
    set: AnySetter<T>,
    short: Option<char>,
    aliases: &'static [&'static str],
    variable: Option<&'static str>,
    example: &'static str,
    help: &'static str,
    clear: fn(&mut T),
}

impl<T> OptionSpec<T> {
    /// An option `--long` that takes this and is applied by this function.
    pub const fn new(long: &'static str, argument: Argument, set: Setter<T>) -> Self {
        Self::with_setter(long, argument, AnySetter::Text(set))
    }

    /// An option `--long` whose value is a path, which the help calls `name`.
    pub const fn path(long: &'static str, name: &'static str, set: PathSetter<T>) -> Self {
        Self::with_setter(long, Argument::Value(name), AnySetter::Path(set))
    }

    const fn with_setter(long: &'static str, argument: Argument, set: AnySetter<T>) -> Self {
        Self {
            long,
            argument,
            set,
            short: None,
            aliases: &[],
            variable: None,
            example: "",
            help: "",
            clear: |_| {},
        }
    }

    /// The one-letter flag.
    pub const fn short(mut self, short: char) -> Self {
        self.short = Some(short);
        self
    }

    /// Other spellings of the flag, which the help does not show.
    pub const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// The environment variable.
    pub const fn variable(mut self, variable: &'static str) -> Self {
        self.variable = Some(variable);
        self
    }

    /// What to write after the program's name, for the message that a value is missing.
    pub const fn example(mut self, example: &'static str) -> Self {
        self.example = example;
        self
    }

    /// The option's line in the help.
    pub const fn help(mut self, help: &'static str) -> Self {
        self.help = help;
        self
    }

    /// Drops what the variable added, before the first flag is applied. For options that add up.
    pub const fn clear(mut self, clear: fn(&mut T)) -> Self {
        self.clear = clear;
        self
    }

    /// The name of the flag, without dashes.
    pub fn long_name(&self) -> &'static str {
        self.long
    }

    /// The name of the environment variable, if there is one.
    pub fn variable_name(&self) -> Option<&'static str> {
        self.variable
    }

    fn matches(&self, flag: &Flag) -> bool {
        match flag {
            Flag::Short(short) => self.short == Some(*short),
            Flag::Long(long) => self.long == long || self.aliases.contains(&long.as_str()),
        }
    }

    fn usage(&self) -> String {
        let short = self
            .short
            .map_or("    ".into(), |short| format!("-{short}, "));
        let value = match self.argument {
            Argument::Switch => String::new(),
            Argument::Value(name) | Argument::List(name) => format!(" <{name}>"),
        };
        format!("  {short}--{}{value}", self.long)
    }

    /// Applies a value as it was given.
    fn apply(&self, target: &mut T, value: OsString, program: &str) -> Result<(), UsageError> {
        match self.set {
            AnySetter::Path(set) => set(target, &value),
            AnySetter::Text(set) => set(target, &utf8(value, program)?),
        }
    }

    fn set_from_variable(
        &self,
        target: &mut T,
        value: OsString,
        program: &str,
    ) -> Result<(), UsageError> {
        let set = match self.set {
            AnySetter::Path(set) => return set(target, &value),
            AnySetter::Text(set) => set,
        };
        let value = utf8(value, program)?;
        match self.argument {
            Argument::Value(_) => set(target, &value),
            Argument::List(_) => value
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .try_for_each(|item| set(target, item)),
            Argument::Switch => {
                let times = match value.to_lowercase().as_str() {
                    "0" | "não" | "nao" | "false" => 0,
                    "1" | "sim" | "true" => 1,
                    "2" => 2,
                    _ => {
                        let text = format!("“{value}” não serve. Use sim ou não.");
                        return Err(UsageError(text));
                    }
                };
                (0..times).try_for_each(|_| set(target, ""))
            }
        }
    }
}

fn utf8(value: OsString, program: &str) -> Result<String, UsageError> {
    value.into_string().map_err(|_| {
        UsageError(format!(
            "Um dos valores não é um texto válido (UTF-8). Veja as opções com: {program} --ajuda"
        ))
    })
}

/// A flag as it was typed.
enum Flag {
    Short(char),
    Long(String),
}

impl std::fmt::Display for Flag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Short(short) => write!(f, "-{short}"),
            Self::Long(long) => write!(f, "--{long}"),
        }
    }
}

/// What a command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// To run, with these arguments that are no options.
    Run(Vec<OsString>),
    /// The help.
    Help,
    /// The version.
    Version,
}

/// Variables that can't be used, by option: errors unless a flag overrides them.
#[derive(Default)]
pub struct InvalidVariables(Vec<(&'static str, UsageError)>);

/// A program's table of options. `--ajuda` and `--versao` are in every one.
pub struct CommandLine<T: 'static> {
    /// The program's name, as error messages call it.
    pub program: &'static str,
    /// The options, in the order of the help.
    pub options: &'static [OptionSpec<T>],
}

impl<T> CommandLine<T> {
    /// Applies the environment.
    pub fn read_variables(
        &self,
        target: &mut T,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> InvalidVariables {
        let mut invalid = InvalidVariables::default();
        for option in self.options {
            let Some(name) = option.variable else {
                continue;
            };
            let Some(value) = variable(name).filter(|value| !value.is_empty()) else {
                continue;
            };
            let applied = option.set_from_variable(target, value, self.program);
            if let Err(UsageError(text)) = applied {
                let error = UsageError(format!("{name}: {text}"));
                invalid.0.push((option.long, error));
            }
        }
        invalid
    }

    /// Applies the arguments after the program's name.
    ///
    /// # Errors
    /// A sentence that says what is wrong and what to write instead.
    pub fn read_arguments(
        &self,
        target: &mut T,
        arguments: impl IntoIterator<Item = OsString>,
        mut invalid: InvalidVariables,
    ) -> Result<Request, UsageError> {
        let known = |long| self.options.iter().any(|option| option.long == long);
        invalid.0.retain(|(long, _)| known(*long));
        let mut parser = Parser::from_args(arguments);
        let mut positional = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        while let Some(argument) = parser.next().map_err(|error| self.parser_error(&error))? {
            let flag = match argument {
                Arg::Short('h') | Arg::Long("ajuda" | "help") => return Ok(Request::Help),
                Arg::Short('V') | Arg::Long("versao" | "versão" | "version") => {
                    return Ok(Request::Version);
                }
                Arg::Short(short) => Flag::Short(short),
                Arg::Long(long) => Flag::Long(long.to_owned()),
                Arg::Value(value) => {
                    positional.push(value);
                    continue;
                }
            };
            let option = self
                .options
                .iter()
                .find(|option| option.matches(&flag))
                .ok_or_else(|| self.unknown_option(&flag))?;
            if !seen.contains(&option.long) {
                seen.push(option.long);
                (option.clear)(target);
                invalid.0.retain(|(long, _)| *long != option.long);
            }
            if option.argument == Argument::Switch {
                option.apply(target, OsString::new(), self.program)?;
                continue;
            }
            let value = parser
                .value()
                .map_err(|_| self.missing_value(&flag, option.example))?;
            option.apply(target, value, self.program)?;
        }
        match invalid.0.into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(Request::Run(positional)),
        }
    }

    /// The help's lines about options.
    pub fn option_help(&self) -> String {
        let mut text = String::new();
        for option in self.options {
            text.push_str(&format!("{:<27} {}\n", option.usage(), option.help));
        }
        text.push_str("  -h, --ajuda               Mostra esta ajuda (--help também vale)\n");
        text.push_str("  -V, --versao              Mostra a versão\n");
        text
    }

    /// The error for arguments that this program does not take.
    ///
    /// # Errors
    /// When there is one.
    pub(crate) fn reject_positional(&self, positional: &[OsString]) -> Result<(), UsageError> {
        match positional.first() {
            Some(first) => Err(UsageError(format!(
                "Não sei o que fazer com “{}”. Veja as opções com: {} --ajuda",
                first.to_string_lossy(),
                self.program
            ))),
            None => Ok(()),
        }
    }

    /// An unknown option, with the nearest of those that exist.
    fn unknown_option(&self, flag: &Flag) -> UsageError {
        let nearest = match flag {
            Flag::Short(_) => None,
            Flag::Long(typed) => {
                let longs = self.options.iter().map(|option| option.long);
                nearest(typed, longs.chain(["ajuda", "versao"]))
            }
        };
        let hint = nearest.map_or(String::new(), |long| format!(" Você quis dizer --{long}?"));
        UsageError(format!(
            "Não conheço a opção “{flag}”.{hint} Veja todas com: {} --ajuda",
            self.program
        ))
    }

    fn missing_value(&self, flag: &Flag, example: &str) -> UsageError {
        UsageError(format!(
            "A opção “{flag}” precisa de um valor, por exemplo: {} {example}",
            self.program
        ))
    }

    fn parser_error(&self, error: &lexopt::Error) -> UsageError {
        let program = self.program;
        UsageError(match error {
            lexopt::Error::UnexpectedValue { option, value } => format!(
                "A opção “{option}” não leva valor, mas veio “{}”. Veja as opções com: {program} --ajuda",
                value.to_string_lossy()
            ),
            _ => format!("Não entendi as opções. Veja todas com: {program} --ajuda"),
        })
    }
}

/// The nearest of these words, if it may have been meant.
pub(crate) fn nearest<'a>(typed: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    words
        .map(|word| (strsim::damerau_levenshtein(word, typed), word))
        .min()
        .filter(|(distance, _)| *distance <= MAX_TYPING_ERRORS)
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests;
