//! The fields of an event in a request.

use greenroom_core::model::{Event, User, permission::Action, user::Role};
use greenroom_http::{
    App,
    dialect::events::{Error, Problem},
    form::{Form, Pk, blank_text, boolean, nullable, pk, pks, text},
};
use greenroom_store::Unique;
use utoipa::ToSchema;

/// An event to be made.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only the document is made of it")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own on the wire")]
pub(crate) struct NewEvent {
    /// The name that its organisers use. Unique.
    #[schema(max_length = 255, pattern = r"\S", example = "Annual meeting")]
    name: String,
    /// The name that its participants see.
    #[schema(max_length = 255, example = "Annual meeting 2026")]
    display_name: Option<String>,
    /// URL of its logo.
    #[schema(max_length = 2000, example = "https://company.example/logo.png")]
    logo: Option<String>,
    /// The number of the user who owns it. Only admins can choose it.
    #[schema(required = false, example = 2)]
    owner: u64,
    /// The users who manage it, each of them with the role `manager`.
    #[schema(max_items = 40, required = false, example = json!([3]))]
    managers: Vec<u64>,
    /// Whether nobody may join.
    #[schema(required = false, example = false)]
    disabled: bool,
    /// Whether participants get the floor session too.
    #[schema(required = false, example = true)]
    subscribers_see_floor: bool,
    /// An IPv4 address near which the media provider should put its sessions. Other texts have no effect.
    #[schema(required = false, max_length = 4000, example = "192.0.2.1")]
    location_hint: String,
    /// A setting for clients. Greenroom stores it.
    #[schema(required = false, example = true)]
    allow_source_video: bool,
    /// A setting for clients. Greenroom stores it.
    #[schema(required = false, max_length = 4000, example = "high")]
    quality: String,
    /// Whether mobile clients may not join.
    #[schema(required = false, example = false)]
    mobile_disallow: bool,
    /// A setting for mobile clients. Greenroom stores it.
    #[schema(required = false, example = false)]
    mobile_audience_disallow: bool,
    /// A setting for mobile clients. Greenroom stores it.
    #[schema(required = false, max_length = 4000, example = "")]
    mobile_data: String,
    /// A setting for mobile clients, stored by Greenroom: `phone`, `email`, `both` or nothing.
    #[schema(required = false, max_length = 4000, example = "email")]
    mfa: String,
}

/// The fields of an event in a request. `None` if a field is left out.
#[expect(clippy::option_option, reason = "a field may be left out, and it may be null")]
pub(crate) struct EventFields {
    name: Option<String>,
    display_name: Option<Option<String>>,
    logo: Option<Option<String>>,
    owner: Option<Pk>,
    managers: Option<Vec<Pk>>,
    disabled: Option<bool>,
    subscribers_see_floor: Option<bool>,
    location_hint: Option<String>,
    allow_source_video: Option<bool>,
    quality: Option<String>,
    mobile_disallow: Option<bool>,
    mobile_audience_disallow: Option<bool>,
    mobile_data: Option<String>,
    mfa: Option<String>,
}

impl EventFields {
    /// Reads the fields of a new event, or of a change of `of`.
    pub(crate) async fn read(app: &App, caller: &User, of: Option<&Event>, mut form: Form) -> Result<Self, Error> {
        let fields = Self {
            name: form.required("name", text(255)),
            display_name: form.optional("displayName", nullable(blank_text(255))),
            logo: form.optional("logo", nullable(blank_text(2_000))),
            owner: form.optional("owner", pk),
            managers: form.optional("managers", pks),
            disabled: form.optional("disabled", boolean),
            subscribers_see_floor: form.optional("subscribersSeeFloor", boolean),
            location_hint: form.optional("locationHint", blank_text(4_000)),
            allow_source_video: form.optional("allowSourceVideo", boolean),
            quality: form.optional("quality", blank_text(4_000)),
            mobile_disallow: form.optional("mobileDisallow", boolean),
            mobile_audience_disallow: form.optional("mobileAudienceDisallow", boolean),
            mobile_data: form.optional("mobileData", blank_text(4_000)),
            mfa: form.optional("mfa", blank_text(4_000)),
        };
        fields.resolve_owner(app, caller, of, &mut form).await?;
        fields.resolve_managers(app, caller, of, &mut form).await?;
        // If there are other problems, this one is reported with them. Otherwise the write itself would report it.
        if let Some(name) = &fields.name
            && !form.is_fine()
            && let Some(other) = app.store.record_with::<Event>(Unique::EventName, name).await?
            && of.is_none_or(|event| event.id != other.record.id)
        {
            form.refuse("name", &Problem::EventNameTaken);
        }
        form.finish()?;
        Ok(fields)
    }

    async fn resolve_owner(&self, app: &App, caller: &User, of: Option<&Event>, form: &mut Form) -> Result<(), Error> {
        if let Some(owner) = &self.owner
            && caller.may_reassign()
            && of.is_none_or(|event| event.owner != owner.id)
            && app.store.record::<User>(owner.id).await?.is_none()
        {
            form.refuse("owner", &owner.invalid());
        }
        Ok(())
    }

    /// Checks that new managers are managers whom the caller may see. Present managers may stay.
    async fn resolve_managers(
        &self,
        app: &App,
        caller: &User,
        of: Option<&Event>,
        form: &mut Form,
    ) -> Result<(), Error> {
        let present = of.map(|event| event.managers.as_slice()).unwrap_or_default();
        let Some(managers) = &self.managers else { return Ok(()) };
        let new: Vec<_> = managers.iter().filter(|manager| !present.contains(&manager.id)).collect();
        if distinct(managers).len() > Event::MANAGERS_MAX {
            form.refuse("managers", &Problem::TooMany(Event::MANAGERS_MAX));
        } else if !new.is_empty() && caller.may(Action::DeleteEvent) {
            let ids: Vec<_> = new.iter().map(|manager| manager.id).collect();
            let found = app.store.records::<User>(&ids).await?;
            let known = |id| {
                found
                    .iter()
                    .map(|stored| &stored.record)
                    .any(|user| user.id == id && user.role == Role::Manager && caller.sees_user(user))
            };
            if let Some(unknown) = new.iter().find(|manager| !known(manager.id)) {
                form.refuse("managers", &unknown.invalid());
            }
        }
        Ok(())
    }

    /// A new event, made by this user.
    pub(crate) fn make(&self, id: u64, caller: &User) -> Event {
        let owner = self.owner.as_ref().filter(|_| caller.may_reassign()).map_or(caller.id, |owner| owner.id);
        let new = Event::new(id, String::new(), owner);
        Event { owner, ..self.applied_to(&new) }
    }

    /// The event with these fields.
    ///
    /// # Errors
    /// The caller may not change this event, or not all of what they change.
    pub(crate) fn change(&self, event: &Event, caller: &User) -> Result<Event, Error> {
        let changed = self.applied_to(event);
        let owner_allowed = changed.owner == event.owner || caller.may_reassign();
        // A caller who may not delete the event may not choose its managers.
        let managers_allowed = same(&changed.managers, &event.managers) || caller.may(Action::DeleteEvent);
        let allowed = caller.may_to_event(Action::ChangeEvent, event) && owner_allowed && managers_allowed;
        if allowed { Ok(changed) } else { Err(Error::Forbidden) }
    }

    fn applied_to(&self, event: &Event) -> Event {
        let said = |said: &Option<String>, present: &str| said.clone().unwrap_or_else(|| present.to_owned());
        Event {
            id: event.id,
            name: said(&self.name, &event.name),
            display_name: self.display_name.clone().unwrap_or_else(|| event.display_name.clone()),
            logo: self.logo.clone().unwrap_or_else(|| event.logo.clone()),
            owner: self.owner.as_ref().map_or(event.owner, |owner| owner.id),
            managers: self.managers.as_deref().map_or_else(|| event.managers.clone(), distinct),
            disabled: self.disabled.unwrap_or(event.disabled),
            subscribers_see_floor: self.subscribers_see_floor.unwrap_or(event.subscribers_see_floor),
            location_hint: said(&self.location_hint, &event.location_hint),
            allow_source_video: self.allow_source_video.unwrap_or(event.allow_source_video),
            quality: said(&self.quality, &event.quality),
            mobile_disallow: self.mobile_disallow.unwrap_or(event.mobile_disallow),
            mobile_audience_disallow: self.mobile_audience_disallow.unwrap_or(event.mobile_audience_disallow),
            mobile_data: said(&self.mobile_data, &event.mobile_data),
            mfa: said(&self.mfa, &event.mfa),
        }
    }
}

/// The users' numbers in the order they were given, each once.
fn distinct(managers: &[Pk]) -> Vec<u64> {
    managers.iter().fold(Vec::new(), |mut ids, manager| {
        if !ids.contains(&manager.id) {
            ids.push(manager.id);
        }
        ids
    })
}

/// Whether both have the same users, in any order.
fn same(a: &[u64], b: &[u64]) -> bool {
    a.len() == b.len() && a.iter().all(|id| b.contains(id))
}
