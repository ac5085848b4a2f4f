//! The command line: what was asked for, or the sentence that says what was wrong with it.
//!
//! Knows the options; never knows what they lead to.

use crate::address::{Address, AddressError, DEFAULT_PORT};
use crate::app::{bad_name, bad_password, bad_room};
use lexopt::{Arg, Parser, ValueExt};
use papo::name::{Name, RoomName};
use papo::protocol::{Credentials, Password};
use std::ffi::OsString;

/// What was asked for.
#[derive(Debug)]
pub struct Options {
    pub address: Address,
    pub name: Option<Name>,
    pub room: RoomName,
    /// What is shown at the door besides the name.
    pub secrets: Credentials,
    /// Plain lines, also on a terminal.
    pub lines: bool,
    /// Go on listening when there is nothing more to say.
    pub stays: bool,
    /// Connect again when the connection is lost.
    pub insists: bool,
    /// The wire's own messages on standard output.
    pub json: bool,
}

/// What the command line comes to.
#[derive(Debug)]
pub enum Request {
    Talk(Options),
    Help,
    Version,
}

/// One option, as the help shows it.
struct Choice {
    short: Option<char>,
    long: &'static str,
    /// Other spellings.
    twins: &'static [&'static str],
    /// The value's name and an example, for options that have one.
    value: Option<(&'static str, &'static str)>,
    description: &'static str,
}

const CHOICES: &[Choice] = &[
    Choice {
        short: Some('n'),
        long: "nome",
        twins: &[],
        value: Some(("NOME", "Ana")),
        description: "Seu nome na conversa [variável: PAPO_NOME]",
    },
    Choice {
        short: None,
        long: "sala",
        twins: &[],
        value: Some(("SALA", "laboratorio")),
        description: "Sala onde entrar [padrão: geral]",
    },
    Choice {
        short: None,
        long: "senha",
        twins: &["password"],
        value: Some(("SENHA", "girassol")),
        description: "Senha do servidor, se ele tem uma [variável: PAPO_SENHA]",
    },
    Choice {
        short: None,
        long: "chave",
        twins: &["key"],
        value: Some(("CHAVE", "k3y...")),
        description: "Para organizar a conversa: a chave que o servidor mostra",
    },
    Choice {
        short: None,
        long: "linhas",
        twins: &[],
        value: None,
        description: "Linhas simples, como num script, também no terminal",
    },
    Choice {
        short: None,
        long: "ficar",
        twins: &[],
        value: None,
        description: "Continua ouvindo depois do fim da entrada",
    },
    Choice {
        short: None,
        long: "insistir",
        twins: &[],
        value: None,
        description: "Tenta conectar de novo, também num script",
    },
    Choice {
        short: None,
        long: "json",
        twins: &[],
        value: None,
        description: "Mostra as mensagens do servidor em JSON, uma por linha",
    },
    Choice {
        short: Some('h'),
        long: "ajuda",
        twins: &["help"],
        value: None,
        description: "Mostra esta ajuda            (--help também vale)",
    },
    Choice {
        short: Some('V'),
        long: "versao",
        twins: &["versão", "version"],
        value: None,
        description: "Mostra a versão",
    },
];

/// Reads the arguments after the program's name. `env_name` is the value of `PAPO_NOME`,
/// `env_password` that of `PAPO_SENHA`.
///
/// # Errors
/// A sentence for people.
pub fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    env_name: Option<OsString>,
    env_password: Option<OsString>,
) -> Result<Request, String> {
    let (mut address, mut name, mut room) = (None, env_name.filter(|name| !name.is_empty()), None);
    let (mut password, mut key) = (env_password.filter(|password| !password.is_empty()), None);
    let (mut lines, mut stays, mut insists, mut json) = (false, false, false, false);
    let mut parser = Parser::from_args(arguments);
    while let Some(argument) = parser.next().map_err(unexpected_value)? {
        match known(&argument) {
            Some("ajuda") => return Ok(Request::Help),
            Some("versao") => return Ok(Request::Version),
            Some("linhas") => lines = true,
            Some("ficar") => stays = true,
            Some("insistir") => insists = true,
            Some("json") => json = true,
            Some(long @ "nome") => name = Some(parser.value().map_err(|_| no_value(long))?),
            Some(long @ "sala") => room = Some(parser.value().map_err(|_| no_value(long))?),
            Some(long @ "senha") => password = Some(parser.value().map_err(|_| no_value(long))?),
            Some(long @ "chave") => key = Some(parser.value().map_err(|_| no_value(long))?),
            _ => match argument {
                Arg::Value(value) if address.is_none() => address = Some(value),
                Arg::Value(value) => {
                    let value = value.to_string_lossy().into_owned();
                    return Err(format!("Só um endereço por vez: “{value}” sobrou. {ALL}"));
                }
                other => return Err(unknown(&other)),
            },
        }
    }
    let address = match address {
        Some(raw) => Address::parse(&text(raw)?).map_err(bad_address)?,
        None => Address::new("127.0.0.1", DEFAULT_PORT),
    };
    let name = name
        .map(text)
        .transpose()?
        .map(|raw| Name::new(&raw))
        .transpose()
        .map_err(|error| format!("{} Tente: cliente --nome \"Ana 2\"", bad_name(error)))?;
    let room = match room {
        Some(raw) => RoomName::new(text(raw)?.trim_start_matches('#')).map_err(|_| bad_room())?,
        None => RoomName::lobby(),
    };
    let secrets = Credentials {
        password: secret(password)?,
        moderator_key: secret(key)?,
        room_password: None,
    };
    Ok(Request::Talk(Options {
        address,
        name,
        room,
        secrets,
        lines,
        stays,
        insists,
        json,
    }))
}

/// The text of `--ajuda`.
pub fn help() -> String {
    let mut text = String::from(
        "Cliente de terminal do bate-papo. Fora de um terminal, envia cada linha da entrada e mostra as mensagens.\n\n\
         Uso: cliente [OPÇÕES] [ENDEREÇO]\n\n\
         ENDEREÇO é o do servidor, por exemplo 192.168.0.10:9000 [padrão: 127.0.0.1:9000]\n\n\
         Opções:\n",
    );
    for choice in CHOICES {
        let short = choice
            .short
            .map_or("    ".into(), |short| format!("-{short}, "));
        let value = choice
            .value
            .map_or(String::new(), |(name, _)| format!(" <{name}>"));
        let form = format!("{short}--{}{value}", choice.long);
        text.push_str(&format!("  {form:<25}{}\n", choice.description));
    }
    text.push_str(
        "\nO que o programa responde a um script: 0 tudo confirmado · 1 imprevisto · 2 uso errado · 3 servidor não\n\
         encontrado · 4 recusado · 5 a conexão caiu antes da confirmação · 130 Ctrl+C\n",
    );
    text
}

/// What proves something, if it was given.
fn secret(raw: Option<OsString>) -> Result<Option<Password>, String> {
    let Some(raw) = raw else { return Ok(None) };
    Password::new(&text(raw)?)
        .map(Some)
        .ok_or_else(bad_password)
}

const ALL: &str = "Veja todas as opções com: cliente --ajuda";

/// The main name of an option that exists.
fn known(argument: &Arg<'_>) -> Option<&'static str> {
    let found = CHOICES.iter().find(|choice| match argument {
        Arg::Short(short) => choice.short == Some(*short),
        Arg::Long(long) => choice.long == *long || choice.twins.contains(long),
        Arg::Value(_) => false,
    });
    found.map(|choice| choice.long)
}

fn text(raw: OsString) -> Result<String, String> {
    raw.string()
        .map_err(|_| format!("Um dos valores não é um texto válido (UTF-8). {ALL}"))
}

fn bad_address(error: AddressError) -> String {
    match error {
        AddressError::Malformed => "Este endereço não parece certo. Escreva assim: 192.168.0.10:9000".into(),
        AddressError::Encrypted => {
            "Este cliente ainda não usa conexões cifradas (wss://). Use o endereço que o servidor mostra ao ligar, \
             por exemplo 192.168.0.10:9000"
                .into()
        }
    }
}

fn no_value(long: &str) -> String {
    let example = CHOICES
        .iter()
        .find(|choice| choice.long == long)
        .and_then(|choice| choice.value);
    let example = example.map_or("", |(_, example)| example);
    format!("Falta o valor da opção --{long}. Escreva assim: cliente --{long} {example}")
}

fn unexpected_value(error: lexopt::Error) -> String {
    match error {
        lexopt::Error::UnexpectedValue { option, .. } => {
            format!("A opção {option} não leva valor. {ALL}")
        }
        _ => format!("Não entendi a linha de comando. {ALL}"),
    }
}

fn unknown(argument: &Arg<'_>) -> String {
    /// How alike two words are, from 0 to 1, for one to be taken for the other.
    const ALIKE: f64 = 0.75;
    let (spelled, near) = match argument {
        Arg::Short(short) => (format!("-{short}"), None),
        Arg::Long(long) => {
            let likeness = |choice: &&Choice| strsim::jaro_winkler(choice.long, long);
            let near = CHOICES
                .iter()
                .max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
            (
                format!("--{long}"),
                near.filter(|choice| likeness(choice) >= ALIKE),
            )
        }
        Arg::Value(value) => (value.to_string_lossy().into_owned(), None),
    };
    let near = near.map_or(String::new(), |choice| {
        format!(" Você quis dizer --{}?", choice.long)
    });
    format!("Não conheço a opção “{spelled}”.{near} Veja todas com: cliente --ajuda")
}

#[cfg(test)]
#[path = "options_tests.rs"]
mod tests;
