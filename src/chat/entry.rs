//! Who may come in: bans, the server's password, the lock and the host key are asked in this order, before anything is
//! changed by who comes.

use crate::auth::TokenHash;
use crate::chat::moderation::speaking::ceil_millis;
use crate::chat::people::PersonKey;
use crate::chat::{Chat, Now};
use crate::ids::ConnId;
use crate::name::Name;
use crate::protocol::{Credentials, ErrorCode, Password, Refusal};

impl Chat {
    /// Lets somebody through, and tells whether as a host. `present` is the person if they are there already, or
    /// dropped out a moment ago.
    pub(super) fn authorize_entry(
        &mut self,
        conn: ConnId,
        name: &Name,
        token_hash: &TokenHash,
        present: Option<PersonKey>,
        credentials: &Credentials,
        now: Now,
    ) -> Result<bool, Refusal> {
        let key_check = credentials
            .moderator_key
            .as_ref()
            .map(|key| self.check_moderator_key(key, token_hash));
        let moderator = matches!(key_check, Some(Ok(())))
            || self
                .moderation
                .moderators
                .contains(&token_hash.person_id(name));
        if !moderator {
            self.check_ban(conn, token_hash, now)?;
        }
        self.check_password(conn, credentials.password.as_ref(), present.is_some(), now)?;
        if self.moderation.locked && !moderator && present.is_none() {
            return Err(Refusal::new(ErrorCode::Locked));
        }
        // Whoever brought a key that is worth nothing is not let in, so that they notice.
        key_check.transpose()?;
        Ok(moderator)
    }

    fn check_ban(&self, conn: ConnId, token_hash: &TokenHash, now: Now) -> Result<(), Refusal> {
        let bans = &self.moderation.bans;
        let address = self.conns.get(&conn).map(|state| state.address);
        let until = bans.active_for(token_hash, now.instant).max(
            // A proxy on this machine speaks for people from everywhere.
            address
                .filter(|address| !address.is_local())
                .and_then(|at| bans.active_for_address(at, now.instant)),
        );
        until.map_or(Ok(()), |until| {
            Err(Refusal::banned(ceil_millis(
                until.saturating_duration_since(now.instant),
            )))
        })
    }

    /// The key opens for one person only: the first who shows it.
    fn check_moderator_key(&self, given: &Password, token_hash: &TokenHash) -> Result<(), Refusal> {
        let wrong = |text: &str| Err(Refusal::with_text(ErrorCode::ModeratorKeyWrong, text));
        if !self
            .rules
            .moderator_key
            .is_some_and(|key| key.matches(given.expose_secret()))
        {
            return wrong(
                "Esta chave de organização não vale. Confira o endereço que o servidor mostrou ao ligar, ou entre sem a \
                 chave.",
            );
        }
        match self.moderation.moderator_key_owner {
            Some(owner) if owner != *token_hash => wrong(
                "Esta chave de organização não vale mais, porque outra pessoa já entrou com ela. Entre sem a chave e \
                 peça a quem organiza a conversa que promova você.",
            ),
            _ => Ok(()),
        }
    }
}
