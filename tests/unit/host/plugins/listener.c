/* SPDX-License-Identifier: Apache-2.0 */
/* A scoring plugin that uses what the host offers: it hears of new heads, publishes an alert "heard" for each, and
 * counts them in metrics, as it counts the alerts of an emergency's begin and end. Its configuration's `fail` says what goes wrong: create, activate or nothing. */
#include <synod/scoring.h>

#include <stdlib.h>
#include <string.h>

struct synod_instance {
    const synod_host *host;
    int fail_activate;
    uint32_t alert;
    uint64_t heads, height, refused, alarms, all_clears;
};

static synod_str str(const char *text) {
    synod_str out = {text, strlen(text)};
    return out;
}

static int says(synod_bytes config, const char *word) {
    const uint64_t n = strlen(word);
    for (uint64_t i = 0; i + n <= config.n; ++i) {
        if (memcmp(config.p + i, word, n) == 0) {
            return 1;
        }
    }
    return 0;
}

static synod_status create(const synod_host *host, synod_bytes config, synod_instance **out, synod_error *error) {
    if (says(config, "\"create\"")) {
        memcpy(error->message, "told to fail", 13);
        return SYNOD_E_CONFIG;
    }
    if (host->events == NULL || host->metrics == NULL) {
        return SYNOD_E_UNSUPPORTED;
    }
    synod_instance *self = calloc(1, sizeof(*self));
    self->host = host;
    self->fail_activate = says(config, "\"activate\"");
    self->alert = host->events->topic(host, str("alert/1"));
    self->heads = host->metrics->define(host, str("synod_listener_heads_total"), SYNOD_METRIC_COUNTER, str(""),
                                        str("heads heard of"));
    self->height = host->metrics->define(host, str("synod_listener_height_blocks"), SYNOD_METRIC_GAUGE, str("blocks"),
                                         str("newest height"));
    self->alarms = host->metrics->define(host, str("synod_listener_alarms_total"), SYNOD_METRIC_COUNTER, str(""),
                                         str("emergencies heard of"));
    self->all_clears = host->metrics->define(host, str("synod_listener_all_clears_total"), SYNOD_METRIC_COUNTER, str(""),
                                             str("ends of emergencies heard of"));
    self->refused = host->metrics->define(host, str("listener-heads"), SYNOD_METRIC_COUNTER, str(""), str("bad name"));
    *out = self;
    const synod_status heard = host->events->subscribe(host, self->alert, 64, SYNOD_OVERFLOW_DROP_OLDEST);
    return heard < 0 ? heard : host->events->subscribe(host, host->events->topic(host, str("chain.head/1")), 8,
                                   SYNOD_OVERFLOW_DROP_OLDEST);
}

static synod_status activate(synod_instance *self, synod_error *error) {
    if (self->fail_activate) {
        memcpy(error->message, "told to fail later", 19);
        return SYNOD_E_NO_MEMORY;
    }
    return SYNOD_OK;
}

static synod_status drain(synod_instance *self, uint64_t deadline, synod_error *error) {
    (void)self;
    (void)deadline;
    (void)error;
    return SYNOD_OK;
}

static void destroy(synod_instance *self) { free(self); }

/* Payload of chain.head/1: u64 height, hash, u64 slot. Of alert/1: text name, text message; here the height's bytes. */
static int is_alert(synod_bytes said, const char *name) {
    const uint32_t n = (uint32_t)strlen(name);
    uint32_t length = 0;
    if (said.n < 4 + (uint64_t)n) {
        return 0;
    }
    memcpy(&length, said.p, 4);
    return length == n && memcmp(said.p + 4, name, n) == 0;
}

static void on_event(synod_instance *self, const synod_event *events, uint32_t n) {
    for (uint32_t i = 0; i < n; ++i) {
        const synod_bytes said = events[i].payload;
        if (events[i].topic == self->alert) {
            self->host->metrics->add(self->host, self->alarms, is_alert(said, "emergency"));
            self->host->metrics->add(self->host, self->all_clears, is_alert(said, "emergency_over"));
            continue;
        }
        if (said.n < 8) {
            continue;
        }
        uint64_t height = 0;
        memcpy(&height, said.p, 8);
        uint8_t alert[4 + 5 + 4 + 8] = {5, 0, 0, 0, 'h', 'e', 'a', 'r', 'd', 8};
        memcpy(alert + 13, &height, 8);
        synod_bytes payload = {alert, sizeof alert};
        self->host->metrics->add(self->host, self->heads, 1);
        self->host->metrics->set(self->host, self->height, (int64_t)height);
        self->host->metrics->add(self->host, self->refused, 1);
        self->host->events->publish(self->host, self->alert, payload);
    }
}

static synod_status score(synod_instance *self, uint32_t need, const int64_t *const *cols, uint64_t rows, int64_t *out,
                          synod_error *error) {
    (void)self;
    (void)need;
    (void)cols;
    (void)error;
    for (uint64_t r = 0; r < rows; ++r) {
        out[r] = 7;
    }
    return SYNOD_OK;
}

static const synod_scoring_api table = {sizeof(table), 0, NULL, 0, score, NULL};

static const void *query(synod_instance *self, const char *id) {
    (void)self;
    (void)id;
    return &table;
}

static const synod_plugin_api api = {sizeof(api), 0,    create, activate, drain,    NULL,
                                     destroy,     NULL, NULL,   NULL,     on_event, query};

static const synod_descriptor descriptor = {
    .size = sizeof(descriptor),
    .id = "test.listener",
    .name = "listener",
    .version = "1.0",
    .kind = SYNOD_KIND_SCORING,
    .config_schema = "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
                     "\"fail\":{\"type\":\"string\",\"default\":\"no\",\"enum\":[\"no\",\"create\",\"activate\"]}}}",
    .api = &api};

static const synod_descriptor *const plugins[] = {&descriptor};

extern const synod_entry synod_entry_v1;
__attribute__((visibility("default"))) const synod_entry synod_entry_v1 = {
    {'S', 'Y', 'N', 'O', 'D', 'P', 'L', 'G'}, sizeof(synod_entry), SYNOD_ABI_MAJOR, SYNOD_ABI_MINOR,
    SYNOD_ABI_MINOR, "by hand", plugins, 1};
