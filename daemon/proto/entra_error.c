#include "proto/entra_error.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "proto/failure.h"

#define FEDERATE                                                                                   \
    "add a federated credential to {client} with exactly the issuer {issuer}, the subject "        \
    "{subject} and the audience {audience_of_token}"
/* Longer numbers are no codes. */
#define CODE_END INT64_C(1000000000)

#define SEE_CLOCK "compare this machine's clock, which `date -u` shows"

const struct entra_error entra_errors[] = {
    /* What proves who the application is. */
    {7000215, "the client secret is wrong",
     "write the value of a valid secret of {client} (not the secret's id) to {file}"},
    {7000222, "the client secret has expired",
     "make a new secret with `az ad app credential reset --append --id {client_id}`, and write "
     "its value to {file}"},
    {7000216, "the request had neither secret nor assertion",
     "write the value of a valid secret of {client} to {file}"},
    {7000218, "the request had neither secret nor assertion",
     "write the value of a valid secret of {client} to {file}"},
    {700024, "the assertion is not valid at this time",
     SEE_CLOCK ", and let what writes the federated token renew it"},
    {700027, "the signature of the assertion was not accepted",
     "register the certificate that {file} holds with {client}"},
    {700021, "the assertion is of another application",
     "check client_id: the assertion does not name {client}"},
    {700023, "the assertion is for another endpoint",
     "check {login_key} and tenant_id: the assertion was made for {login} and {tenant}"},
    {50013, "the assertion was not accepted",
     "check that the certificate or federated token belongs to {client}, and " SEE_CLOCK},
    {50027, "the assertion is malformed",
     "check that {file} holds the token as its issuer made it, and nothing else"},
    /* Federation. */
    {70021, "no federated credential matches the token", FEDERATE},
    {700211, "no federated credential has the issuer of the token", FEDERATE},
    {700212, "no federated credential has the audience of the token", FEDERATE},
    {700213, "no federated credential has the subject of the token", FEDERATE},
    {700222, "the federated token was issued by Entra ID itself, which is not allowed",
     "use a token of another issuer (a Kubernetes service account, a CI service), or an identity "
     "of "
     "another type"},
    {5000811, "the signature of the federated token was not accepted",
     "check that {issuer} publishes the key that signed the token in {file}; after a change of its "
     "keys, wait until Entra ID has read the new ones"},
    {50166, "Entra ID cannot read the keys of the token's issuer",
     "make {issuer}/.well-known/openid-configuration readable from the internet"},
    {501661, "Entra ID cannot read the keys of the token's issuer",
     "make {issuer}/.well-known/openid-configuration readable from the internet"},
    /* The application and its tenant. */
    {700016, "the application is not known in the tenant",
     "check client_id and tenant_id: {client} is not known in tenant {tenant}; if it was made in "
     "another tenant, run `az ad sp create --id {client_id}` in this one"},
    {7000229, "the application has no service principal in the tenant",
     "run `az ad sp create --id {client_id}`, signed in to tenant {tenant}"},
    {7000112, "the application is disabled",
     "enable {client} in tenant {tenant}: Entra admin center, Enterprise applications, Properties, "
     "Enabled for users to sign-in"},
    {90002, "the tenant is not known",
     "check tenant_id and {login_key}: tenant {tenant} is not known at {login}"},
    {900023, "tenant_id is neither an id nor a domain",
     "check tenant_id: {tenant} is neither a tenant's id nor one of its domains"},
    {50059, "the request names no tenant", "check tenant_id: {tenant} names no tenant"},
    {5000225, "the tenant was blocked because nobody used it",
     "ask Microsoft to unblock tenant {tenant}, or check tenant_id"},
    /* The cloud. */
    {90038, "the tenant is in another cloud",
     "set `cloud` to the one of tenant {tenant}: {login} does not serve it"},
    {900382, "the application is in another cloud",
     "set `cloud` to the one of {client}: {login} does not serve it"},
    {900439, "the tenant is in another cloud",
     "set `cloud` to the one of tenant {tenant}: {login} does not serve it"},
    {50049, "the login endpoint is of no cloud",
     "check {login_key}: {login} is no endpoint of a cloud that Entra ID knows"},
    /* What the token is for. */
    {500011, "the audience is not known in the tenant",
     "check cloud.audience: {audience} is not known in tenant {tenant}"},
    {50001, "the audience is not known", "check cloud.audience: {audience} is no resource"},
    {70011, "the scope is not valid", "check cloud.audience: {audience} is no resource"},
    {1002012, "the scope is not valid", "check cloud.audience: {audience} is no resource"},
    {650057, "the application may not ask for this audience",
     "add a permission for {audience} to {client} (API permissions), or check cloud.audience"},
    /* Consent and policies. */
    {65001, "nobody has consented to the permissions of the application",
     "let an administrator of tenant {tenant} run `az ad app permission admin-consent --id "
     "{client_id}`"},
    {650052, "the tenant lacks the service that the audience stands for",
     "let an administrator of tenant {tenant} subscribe to the service of {audience}, or check "
     "cloud.audience"},
    {90094, "an administrator has to consent",
     "let an administrator of tenant {tenant} run `az ad app permission admin-consent --id "
     "{client_id}`"},
    {501051, "the application has no role for the audience",
     "assign {client} to a role of {audience} (Enterprise applications, Users and groups), or turn "
     "off its `Assignment required`"},
    {53003, "a conditional access policy forbids it",
     "let the conditional access policies of tenant {tenant} admit {client} from here; its sign-in "
     "log (Service principal sign-ins) names the policy"},
    {530034, "the application is disabled or at risk",
     "look at {client} in Entra ID Protection (Risky workload identities), and dismiss the risk"},
    /* Too much, too often. */
    {50196, "the same request came too often",
     "look for other programs that ask for tokens of {client} again and again"},
    {90055, "the tenant has too many requests",
     "look for other programs that ask for tokens in tenant {tenant} again and again"},
    {0, NULL, NULL},
};

static const struct entra_error *find_code(int64_t code)
{
    for (const struct entra_error *error = entra_errors; error->code != 0; error++) {
        if (error->code == code)
            return error;
    }
    return NULL;
}

int64_t entra_error_code(struct json_object *answer)
{
    static const char prefix[] = "AADSTS";
    const char *text = json_string(answer, "error_description");
    int64_t code = 0;

    if (!text || !str_starts_with(text, prefix))
        return 0;
    for (text += strlen(prefix); char_is_digit(*text); text++) {
        if (code >= CODE_END)
            return 0;
        code = code * 10 + (*text - '0');
    }
    return code;
}

const struct entra_error *entra_error_find(struct json_object *answer)
{
    struct json_object *codes = json_member(answer, "error_codes");
    const struct entra_error *error = NULL;

    if (json_object_is_type(codes, json_type_array)) {
        for (size_t i = 0; !error && i < json_object_array_length(codes); i++) {
            struct json_object *code = json_object_array_get_idx(codes, i);

            if (json_object_is_type(code, json_type_int))
                error = find_code(json_object_get_int64(code));
        }
    }
    return error ? error : find_code(entra_error_code(answer));
}

/* Fills the placeholders with the client's values. */
static void fill(const char *template, const struct entra_client *client, char *out, size_t size)
{
    const struct federated_token *token = client->federated;
    const char *file = client->proof_file;
    const struct {
        const char *name;
        const char *before;
        const char *value;
    } places[] = {
        {"{client}", "application ", client->client_id},
        {"{client_id}", "", client->client_id},
        {"{tenant}", "", client->tenant_id},
        {"{audience}", "", client->audience},
        {"{login}", "", client->login},
        {"{login_key}", "", client->login_key ? client->login_key : "cloud.login"},
        {"{file}", "",
         file                   ? file
         : client->is_assertion ? "the identity's file"
                                : "its client_secret_file"},
        {"{issuer}", "", token && token->issuer[0] != '\0' ? token->issuer : "of the token"},
        {"{subject}", "", token && token->subject[0] != '\0' ? token->subject : "of the token"},
        {"{audience_of_token}", "",
         token && token->audience[0] != '\0' ? token->audience : "of the token"},
    };
    size_t length = 0;

    out[0] = '\0';
    while (*template != '\0' && length < size - 1) {
        size_t room = size - length;
        size_t taken = 0;

        for (size_t i = 0; taken == 0 && i < sizeof(places) / sizeof(places[0]); i++) {
            if (!str_starts_with(template, places[i].name))
                continue;
            (void)snprintf(out + length, room, "%s%s", places[i].before, places[i].value);
            taken = strlen(places[i].name);
        }
        if (taken == 0) {
            (void)snprintf(out + length, room, "%c", *template);
            taken = 1;
        }
        length += strlen(out + length);
        template += taken;
    }
}

void entra_error_explain(const struct entra_error *error, const struct entra_client *client,
                         char sentence[FAILURE_TEXT_MAX], struct failure *failure)
{
    static const struct entra_error id_of_secret = {
        7000215, "the client secret is wrong: it is the id of a secret, not its value",
        "write the secret's value to {file}; it is shown only once, so where it is lost, make a "
        "new "
        "secret with `az ad app credential reset --append --id {client_id}`"};
    char remedy[2 * FAILURE_REMEDY_MAX]; /* it is cut by who knows where */

    if (error->code == id_of_secret.code && client->is_guid)
        error = &id_of_secret;
    fill(error->sentence, client, sentence, FAILURE_TEXT_MAX);
    fill(error->remedy, client, remedy, sizeof(remedy));
    failure_set_remedy(failure, "%s", remedy);
}
