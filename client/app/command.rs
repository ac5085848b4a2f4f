//! The commands: one table for the parser, `/ajuda`, completion and “Você quis dizer”.
//!
//! Knows what can be typed; never knows what it does.

use papo::text::fold;

/// The commands; [`COMMANDS`] has their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandKind {
    Help,
    Name,
    Who,
    Join,
    Part,
    Rooms,
    Whisper,
    Reply,
    Action,
    Search,
    Earlier,
    Alerts,
    Clear,
    Quit,
    Edit,
    Erase,
    Ignore,
    Mute,
    Unmute,
    ModeratorsOnly,
    Slow,
    Lock,
    Kick,
    Ban,
    Unban,
    Announce,
    Promote,
    Demote,
    RoomPassword,
}

/// One row of the table: a command's names, arguments and help.
pub struct CommandSpec {
    pub kind: CommandKind,
    pub name: &'static str,
    /// English names, accepted but not listed in the help.
    pub aliases: &'static [&'static str],
    pub arguments: &'static str,
    description: &'static str,
}

/// Every command, in the order of the help. Neighbours without arguments share a row there.
pub const COMMANDS: &[CommandSpec] = &[
    row(
        CommandKind::Help,
        "ajuda",
        &["help"],
        "[organizar]",
        "mostra os comandos, ou os de quem organiza",
    ),
    row(
        CommandKind::Who,
        "quem",
        &["who"],
        "",
        "mostra quem está na sala",
    ),
    row(
        CommandKind::Rooms,
        "salas",
        &["rooms"],
        "",
        "mostra as salas",
    ),
    row(
        CommandKind::Whisper,
        "msg",
        &["w", "whisper"],
        "NOME TEXTO",
        "escreve só para uma pessoa; não fica guardado",
    ),
    row(
        CommandKind::Reply,
        "r",
        &["reply"],
        "TEXTO",
        "responde à última conversa particular",
    ),
    row(
        CommandKind::Action,
        "eu",
        &["me"],
        "TEXTO",
        "diz o que você está fazendo",
    ),
    row(
        CommandKind::Edit,
        "editar",
        &["edit"],
        "[TEXTO]",
        "muda a sua última mensagem",
    ),
    row(
        CommandKind::Erase,
        "apagar",
        &["erase", "delete"],
        "[NOME [10m]]",
        "apaga a sua última mensagem, ou as de alguém",
    ),
    row(
        CommandKind::Ignore,
        "ignorar",
        &["ignore"],
        "NOME",
        "esconde o que alguém escreve, ou volta a mostrar",
    ),
    row(
        CommandKind::Name,
        "nome",
        &["nick"],
        "NOVO NOME",
        "muda o seu nome",
    ),
    row(
        CommandKind::Join,
        "entrar",
        &["join"],
        "SALA [SENHA]",
        "abre uma sala, ou volta a uma já aberta",
    ),
    row(
        CommandKind::Part,
        "deixar",
        &["part"],
        "[SALA]",
        "fecha uma sala",
    ),
    row(
        CommandKind::Search,
        "buscar",
        &["search"],
        "TEXTO",
        "procura no que já foi dito na sala",
    ),
    row(
        CommandKind::Alerts,
        "avisos",
        &["alerts"],
        "[sim|não]",
        "apita quando alguém menciona você",
    ),
    row(
        CommandKind::Earlier,
        "antes",
        &["before"],
        "",
        "mostra o que veio antes",
    ),
    row(CommandKind::Clear, "limpar", &["clear"], "", "limpa a tela"),
    row(
        CommandKind::Quit,
        "sair",
        &["quit", "exit"],
        "",
        "sai da conversa",
    ),
    row(
        CommandKind::Mute,
        "silenciar",
        &["mute"],
        "NOME [10m]",
        "tira a palavra de alguém por um tempo",
    ),
    row(
        CommandKind::Unmute,
        "ouvir",
        &["unmute"],
        "NOME",
        "devolve a palavra",
    ),
    row(
        CommandKind::ModeratorsOnly,
        "silenciar-todos",
        &["moderators-only", "mute-all"],
        "[sim|não]",
        "na sala, só fala quem organiza; outra vez desliga",
    ),
    row(
        CommandKind::Slow,
        "lento",
        &["slow"],
        "10s",
        "na sala, uma mensagem por pessoa a cada 10 s; 0 desliga",
    ),
    row(
        CommandKind::Lock,
        "trancar",
        &["lock"],
        "[sim|não]",
        "ninguém novo entra na conversa; outra vez desliga",
    ),
    row(
        CommandKind::Kick,
        "expulsar",
        &["kick"],
        "NOME",
        "põe alguém para fora; pode voltar",
    ),
    row(
        CommandKind::Ban,
        "banir",
        &["ban"],
        "NOME [1h]",
        "põe alguém para fora por um tempo",
    ),
    row(
        CommandKind::Unban,
        "perdoar",
        &["unban"],
        "NOME",
        "deixa voltar",
    ),
    row(
        CommandKind::Announce,
        "avisar",
        &["announce", "notify"],
        "TEXTO",
        "diz algo a todo mundo, em todas as salas",
    ),
    row(
        CommandKind::Promote,
        "promover",
        &["promote"],
        "NOME",
        "passa também a organizar a conversa",
    ),
    row(
        CommandKind::Demote,
        "rebaixar",
        &["demote"],
        "NOME",
        "deixa de organizar a conversa",
    ),
    row(
        CommandKind::RoomPassword,
        "senha",
        &["password"],
        "[PALAVRA]",
        "põe uma senha nesta sala, ou tira",
    ),
];

/// The first moderation command; all after it are moderation commands too.
const FIRST_MODERATION_COMMAND: &str = "silenciar";

const fn row(
    kind: CommandKind,
    name: &'static str,
    aliases: &'static [&'static str],
    arguments: &'static str,
    description: &'static str,
) -> CommandSpec {
    CommandSpec {
        kind,
        name,
        aliases,
        arguments,
        description,
    }
}

/// A submitted line.
#[derive(Debug, PartialEq, Eq)]
pub enum Parsed<'a> {
    /// A message.
    Text(&'a str),
    /// A command and its arguments.
    Command(CommandKind, &'a str),
    /// Not a command; the sentence to answer with.
    Unknown(String),
}

/// Reads a line: `/x` is a command, `//x` says "/x".
pub fn parse(line: &str) -> Parsed<'_> {
    let Some(rest) = line.strip_prefix('/') else {
        return Parsed::Text(line);
    };
    if rest.starts_with('/') {
        return Parsed::Text(rest);
    }
    let (name, arguments) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let key = fold(name);
    match COMMANDS.iter().find(|command| command.matches(&key)) {
        Some(command) => Parsed::Command(command.kind, arguments.trim()),
        None => Parsed::Unknown(unknown_command(name, &key)),
    }
}

/// How to use a command, shown when something is missing.
pub fn usage(kind: CommandKind) -> String {
    let found = COMMANDS.iter().find(|command| command.kind == kind);
    let command = found.expect("every command is in the table");
    format!("Escreva assim: {}", command.synopsis())
}

/// The text of `/ajuda`.
pub fn help() -> String {
    let text = format_help("Comandos:", split_by_audience().0);
    text + "\nPara dizer algo que começa com barra, escreva duas: //texto"
}

/// The text of `/ajuda organizar`.
pub fn moderation_help() -> String {
    let text = format_help("Para quem organiza a conversa (★):", split_by_audience().1);
    text + "\nTempos: 30s, 10m, 1h; um número sem letra são minutos."
}

/// The commands for everyone, and those for moderators.
fn split_by_audience() -> (&'static [CommandSpec], &'static [CommandSpec]) {
    let first = COMMANDS
        .iter()
        .position(|command| command.name == FIRST_MODERATION_COMMAND)
        .expect("the first moderation command is in the table");
    COMMANDS.split_at(first)
}

fn format_help(title: &str, commands: &[CommandSpec]) -> String {
    let rows: Vec<(String, String)> = commands
        .chunk_by(|one, other| one.arguments.is_empty() && other.arguments.is_empty())
        .map(|row| {
            let synopses: Vec<String> = row.iter().map(CommandSpec::synopsis).collect();
            let descriptions: Vec<&str> = row.iter().map(|command| command.description).collect();
            (synopses.join(", "), descriptions.join("; "))
        })
        .collect();
    let width = rows
        .iter()
        .map(|(form, _)| form.chars().count())
        .max()
        .unwrap_or(0);
    let rows = rows
        .iter()
        .map(|(form, description)| format!("\n{form:width$}  {description}"));
    format!("{title}{}", rows.collect::<String>())
}

impl CommandSpec {
    fn matches(&self, key: &str) -> bool {
        self.name == key || self.aliases.contains(&key)
    }

    fn synopsis(&self) -> String {
        format!("/{} {}", self.name, self.arguments)
            .trim_end()
            .to_owned()
    }
}

fn unknown_command(name: &str, key: &str) -> String {
    /// Most wrong, missing or swapped letters that still look like a slip.
    const MAX_TYPOS: usize = 2;
    let near = COMMANDS
        .iter()
        .flat_map(|command| std::iter::once(command.name).chain(command.aliases.iter().copied()))
        .map(|known| (strsim::damerau_levenshtein(known, key), known))
        // With more than half of its letters changed it is another word.
        .filter(|(typos, known)| {
            *typos <= MAX_TYPOS && typos * 2 <= known.len().min(key.chars().count())
        })
        .min_by_key(|(typos, _)| *typos);
    match near {
        Some((_, known)) => format!("Não conheço o comando /{name}. Você quis dizer /{known}?"),
        None => format!("Não conheço o comando /{name}. Veja a lista com /ajuda."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn double_slash_is_text_with_one_slash() {
        assert_eq!(parse("oi / tudo"), Parsed::Text("oi / tudo"));
        assert_eq!(parse("//etc/passwd"), Parsed::Text("/etc/passwd"));
    }

    #[test]
    fn command_is_parsed_in_both_languages_and_any_case() {
        assert_eq!(
            parse("/msg Ana  oi"),
            Parsed::Command(CommandKind::Whisper, "Ana  oi")
        );
        assert_eq!(
            parse("/w Ana oi"),
            Parsed::Command(CommandKind::Whisper, "Ana oi")
        );
        assert_eq!(parse("/SAIR"), Parsed::Command(CommandKind::Quit, ""));
        assert_eq!(parse("/quit"), Parsed::Command(CommandKind::Quit, ""));
    }

    #[test]
    fn mistyped_command_suggests_the_nearest() {
        assert_eq!(
            parse("/siar"),
            Parsed::Unknown("Não conheço o comando /siar. Você quis dizer /sair?".into())
        );
        assert_eq!(
            parse("/ajdua"),
            Parsed::Unknown("Não conheço o comando /ajdua. Você quis dizer /ajuda?".into())
        );
        assert_eq!(
            parse("/xyz"),
            Parsed::Unknown("Não conheço o comando /xyz. Veja a lista com /ajuda.".into())
        );
        assert_eq!(
            parse("/"),
            Parsed::Unknown("Não conheço o comando /. Veja a lista com /ajuda.".into())
        );
    }

    #[test]
    fn help_lists_every_command() {
        let help = help() + &moderation_help();
        for command in COMMANDS {
            assert!(help.contains(&command.synopsis()), "{}", command.name);
        }
    }

    #[test]
    fn command_names_are_unique() {
        let mut names: Vec<_> = COMMANDS
            .iter()
            .flat_map(|c| c.aliases.iter().chain([&c.name]))
            .collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
