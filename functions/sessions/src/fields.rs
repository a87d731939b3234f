//! The fields of a session in a request.

use greenroom_core::{
    id::ProviderSessionId,
    model::{Event, EventSession, SessionMode},
};
use greenroom_http::{
    App,
    dialect::events::{Error, FieldErrors, Problem},
    form::{Form, blank_text, boolean, choice, nullable, text},
};
use greenroom_store::Unique;
use utoipa::ToSchema;

/// A session to be made.
#[derive(ToSchema)]
#[schema(as = NewEventSession, rename_all = "camelCase")]
#[expect(dead_code, reason = "only the document is made of it")]
pub(crate) struct NewSession {
    /// The event that it belongs to.
    #[schema(example = 7)]
    event: u64,
    /// The language, or `Floor`.
    #[schema(max_length = 255, pattern = r"\S", example = "German")]
    language: String,
    /// The language's code.
    #[schema(max_length = 4000, example = "de")]
    language_code: Option<String>,
    /// Whether it is the event's floor. Only one session of an event may be.
    #[schema(required = false, example = false)]
    is_floor: bool,
    /// Whether its streams pass through a media server.
    #[schema(required = false)]
    mode: SessionMode,
    /// Whether the provider archives it; true by default. A relayed session cannot be archived.
    #[schema(required = false, example = true)]
    archive: bool,
}

/// A change of a session. Its event cannot change.
#[derive(ToSchema)]
#[schema(as = EventSessionChange, rename_all = "camelCase")]
#[expect(dead_code, reason = "only the document is made of it")]
pub(crate) struct SessionChange {
    /// The language, or `Floor`.
    #[schema(max_length = 255, pattern = r"\S", example = "German")]
    language: String,
    /// The language's code.
    #[schema(max_length = 4000, example = "de")]
    language_code: Option<String>,
    /// Whether it is the event's floor. Only one session of an event may be.
    #[schema(required = false, example = false)]
    is_floor: bool,
    /// Whether its streams pass through a media server.
    #[schema(required = false)]
    mode: SessionMode,
    /// Whether the provider archives it. A relayed session cannot be archived.
    #[schema(required = false, example = true)]
    archive: bool,
}

/// The fields of a session in a request. `None` if a field is left out.
#[expect(clippy::option_option, reason = "a field may be left out, and it may be null")]
pub(crate) struct SessionFields {
    language: Option<String>,
    language_code: Option<Option<String>>,
    is_floor: Option<bool>,
    mode: Option<SessionMode>,
    archive: Option<bool>,
}

impl SessionFields {
    /// Reads the fields of a new session, or of a change of `of`.
    pub(crate) async fn read(
        app: &App,
        event: Option<&Event>,
        of: Option<&EventSession>,
        mut form: Form,
    ) -> Result<Self, Error> {
        let fields = Self {
            language: form.required("language", text(255)),
            language_code: form.optional("languageCode", nullable(blank_text(4_000))),
            is_floor: form.optional("isFloor", boolean),
            mode: form.optional("mode", choice),
            archive: form.optional("archive", boolean),
        };
        if !fields.is_archivable(of) && form.is_fine() {
            form.refuse("archive", &Problem::RelayedArchive);
        }
        // This is checked before the media provider is asked for a session. The write itself would report it too.
        if fields.is_floor == Some(true)
            && let Some(event) = event
            && let Some(floor) = app.store.record_with::<EventSession>(Unique::Floor, &event.id.to_string()).await?
            && of.is_none_or(|session| session.id != floor.record.id)
        {
            form.refuse("isFloor", &Problem::FloorTaken);
        }
        form.finish()?;
        Ok(fields)
    }

    /// Whether mode and archiving are possible together.
    fn is_archivable(&self, of: Option<&EventSession>) -> bool {
        let mode = self.mode.or(of.map(|session| session.mode)).unwrap_or_default();
        let archive = self.archive.or(of.map(|session| session.archive)).unwrap_or(true);
        !(archive && mode == SessionMode::Relayed)
    }

    /// A new session, without a number and without the provider's id.
    pub(crate) fn make(self, event: &Event) -> EventSession {
        EventSession {
            id: 0,
            event: event.id,
            language: self.language.unwrap_or_default(),
            language_code: self.language_code.flatten(),
            is_floor: self.is_floor.unwrap_or(false),
            session_id: ProviderSessionId::new(String::new()),
            mode: self.mode.unwrap_or_default(),
            archive: self.archive.unwrap_or(true),
        }
    }

    /// The session with these fields.
    ///
    /// # Errors
    /// Mode and archiving are not possible together any more.
    pub(crate) fn applied_to(&self, session: &EventSession) -> Result<EventSession, Error> {
        if !self.is_archivable(Some(session)) {
            return Err(FieldErrors::one("archive", &Problem::RelayedArchive).into());
        }
        Ok(EventSession {
            language: self.language.clone().unwrap_or_else(|| session.language.clone()),
            language_code: self.language_code.clone().unwrap_or_else(|| session.language_code.clone()),
            is_floor: self.is_floor.unwrap_or(session.is_floor),
            mode: self.mode.unwrap_or(session.mode),
            archive: self.archive.unwrap_or(session.archive),
            ..session.clone()
        })
    }
}
