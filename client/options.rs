//! The client's command line: the parsed options, or a sentence that says what is wrong.
//!
//! Knows options and their values; never knows what they are used for.

use crate::app::{bad_name, bad_password, bad_room};
use crate::net::address::{Address, AddressError, DEFAULT_PORT};
use papo::cli::{Argument, CommandLine, OptionSpec, Request, UsageError};
use papo::name::{Name, RoomName};
use papo::protocol::{Credentials, Password};
use std::ffi::OsString;

/// The options of a chat.
#[derive(Debug)]
pub struct Options {
    pub address: Address,
    pub name: Option<Name>,
    pub room: RoomName,
    /// Sent with the name on entering.
    pub credentials: Credentials,
    /// Plain lines, also on a terminal.
    pub plain: bool,
    /// Keep listening after the end of the input.
    pub keep_listening: bool,
    /// Connect again when the connection is lost.
    pub reconnect: bool,
    /// The server's messages as JSON on standard output.
    pub json: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            address: Address::new("127.0.0.1", DEFAULT_PORT),
            name: None,
            room: RoomName::lobby(),
            credentials: Credentials::default(),
            plain: false,
            keep_listening: false,
            reconnect: false,
            json: false,
        }
    }
}

/// What the command line asks for.
#[derive(Debug)]
pub enum Invocation {
    Chat(Options),
    Help,
    Version,
}

const COMMAND_LINE: CommandLine<Options> = CommandLine {
    program: "cliente",
    options: &[
        OptionSpec::new("nome", Argument::Value("NOME"), set_name)
            .short('n')
            .variable("PAPO_NOME")
            .example("--nome Ana")
            .help("Seu nome na conversa"),
        OptionSpec::new("sala", Argument::Value("SALA"), set_room)
            .variable("PAPO_SALA")
            .example("--sala laboratorio")
            .help("Sala onde entrar [padrão: geral]"),
        OptionSpec::new("senha", Argument::Value("SENHA"), set_password)
            .aliases(&["password"])
            .variable("PAPO_SENHA")
            .example("--senha girassol")
            .help("Senha do servidor, se ele tem uma"),
        OptionSpec::new("chave", Argument::Value("CHAVE"), set_moderator_key)
            .aliases(&["key"])
            .variable("PAPO_CHAVE")
            .example("--chave k3y...")
            .help("Para organizar a conversa: a chave que o servidor mostra"),
        OptionSpec::new("linhas", Argument::Switch, set_plain)
            .variable("PAPO_LINHAS")
            .help("Linhas simples, como num script, também no terminal"),
        OptionSpec::new("ficar", Argument::Switch, set_keep_listening)
            .variable("PAPO_FICAR")
            .help("Continua ouvindo depois do fim da entrada"),
        OptionSpec::new("insistir", Argument::Switch, set_reconnect)
            .variable("PAPO_INSISTIR")
            .help("Tenta conectar de novo, também num script"),
        OptionSpec::new("json", Argument::Switch, set_json)
            .variable("PAPO_JSON")
            .help("Mostra as mensagens do servidor em JSON, uma por linha"),
    ],
};

/// Reads the environment and the arguments after the program's name.
///
/// # Errors
/// A sentence that says what is wrong and what to write instead.
pub fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Invocation, UsageError> {
    let mut options = Options::default();
    let invalid = COMMAND_LINE.read_variables(&mut options, variable);
    let positional = match COMMAND_LINE.read_arguments(&mut options, arguments, invalid)? {
        Request::Help => return Ok(Invocation::Help),
        Request::Version => return Ok(Invocation::Version),
        Request::Run(positional) => positional,
    };
    match positional.as_slice() {
        [] => {}
        [address] => {
            let address = address.to_string_lossy();
            options.address = Address::parse(&address).map_err(bad_address)?;
        }
        [_, extra, ..] => {
            return Err(UsageError(format!(
                "Só um endereço por vez: “{}” sobrou. Veja todas as opções com: cliente --ajuda",
                extra.to_string_lossy()
            )));
        }
    }
    Ok(Invocation::Chat(options))
}

/// The text of `--ajuda`.
pub fn help() -> String {
    let options = COMMAND_LINE.option_help();
    format!(
        "Cliente de terminal do bate-papo. Fora de um terminal, envia cada linha da entrada e mostra as mensagens.\n\n\
         Uso: cliente [OPÇÕES] [ENDEREÇO]\n\n\
         ENDEREÇO é o do servidor, por exemplo 192.168.0.10:9000 [padrão: 127.0.0.1:9000]\n\n\
         Opções:\n{options}\n\
         Cada opção também pode vir de uma variável: --nome de PAPO_NOME, --linhas de PAPO_LINHAS (sim ou não).\n\n\
         O que o programa responde a um script: 0 tudo confirmado · 1 imprevisto · 2 uso errado · 3 servidor não\n\
         encontrado, ou sem poder abrir a sala em 30 s · 4 recusado · 5 a conexão caiu, ou a confirmação não veio ·\n\
         129, 130 ou 143 um sinal: o terminal fechou, Ctrl+C, SIGTERM\n"
    )
}

fn set_name(options: &mut Options, value: &str) -> Result<(), UsageError> {
    let name = Name::new(value).map_err(|error| {
        UsageError(format!(
            "{} Tente: cliente --nome \"Ana 2\"",
            bad_name(error)
        ))
    })?;
    options.name = Some(name);
    Ok(())
}

fn set_room(options: &mut Options, value: &str) -> Result<(), UsageError> {
    let room = RoomName::new(value.trim_start_matches('#'));
    options.room = room.map_err(|_| UsageError(bad_room()))?;
    Ok(())
}

fn set_password(options: &mut Options, value: &str) -> Result<(), UsageError> {
    options.credentials.password = Some(parse_secret(value)?);
    Ok(())
}

fn set_moderator_key(options: &mut Options, value: &str) -> Result<(), UsageError> {
    options.credentials.moderator_key = Some(parse_secret(value)?);
    Ok(())
}

fn set_plain(options: &mut Options, _: &str) -> Result<(), UsageError> {
    options.plain = true;
    Ok(())
}

fn set_keep_listening(options: &mut Options, _: &str) -> Result<(), UsageError> {
    options.keep_listening = true;
    Ok(())
}

fn set_reconnect(options: &mut Options, _: &str) -> Result<(), UsageError> {
    options.reconnect = true;
    Ok(())
}

fn set_json(options: &mut Options, _: &str) -> Result<(), UsageError> {
    options.json = true;
    Ok(())
}

fn parse_secret(value: &str) -> Result<Password, UsageError> {
    Password::new(value).ok_or_else(|| UsageError(bad_password()))
}

fn bad_address(error: AddressError) -> UsageError {
    let text = match error {
        AddressError::Malformed => {
            "Este endereço não parece certo. Escreva assim: 192.168.0.10:9000"
        }
        AddressError::Encrypted => {
            "Este cliente ainda não usa conexões cifradas (wss://). Use o endereço que o servidor mostra ao ligar, \
             por exemplo 192.168.0.10:9000"
        }
    };
    UsageError(text.into())
}

#[cfg(test)]
#[path = "options_tests.rs"]
mod tests;
