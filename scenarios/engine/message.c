/* Messages by name and field: made from a script's table, changed by one, shown as one.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include "wire/cdc.h"
#include "wire/clc.h"
#include "wire/llc.h"

#include <string.h>

enum { MESSAGE_BYTES = 8192 };

static const char *value_name(const struct smc_value_name *values, uint64_t value)
{
    for (; values->name != NULL; values++)
        if (values->value == value)
            return values->name;
    return NULL;
}

const char *message_name(struct smc_view bytes, bool clc)
{
    static const char *const clc_names[] = {NULL, "CLC Proposal", "CLC Accept", "CLC Confirm", "CLC Decline"};
    if (bytes.p == bytes.end)
        return NULL;
    if (clc) {
        unsigned type = smc_clc_type_of(bytes);
        return type <= 4 ? clc_names[type] : NULL;
    }
    return bytes.p[0] == SMC_CDC_TYPE ? "CDC" : value_name(smc_values_llc_type, bytes.p[0] & 0xdf);
}

static const struct smc_message *identify(struct smc_view bytes)
{
    if (smc_view_len(bytes) >= 4 && smc_is_eyecatcher(bytes.p))
        return smc_clc_identify(bytes);
    if (smc_view_len(bytes) > 0 && bytes.p[0] == SMC_CDC_TYPE)
        return &smc_cdc_message;
    return smc_llc_identify(bytes);
}

/* ---- changing fields ---- */
struct change {
    lua_State *L;
    int index;
    uint8_t *bytes;
    bool changed;
};

static void change_field(void *ctx, const struct smc_walk *w)
{
    struct change *c = ctx;
    if (w->index > 0 || lua_getfield(c->L, c->index, w->f->name) == LUA_TNIL) {
        lua_settop(c->L, lua_gettop(c->L) - (w->index > 0 ? 0 : 1));
        return;
    }
    uint8_t *layout = c->bytes + w->offset - w->f->off;
    size_t length;
    if (w->f->kind == SMC_BYTES) {
        const char *text = luaL_checklstring(c->L, -1, &length);
        memset(layout + w->f->off, 0, w->f->size);
        memcpy(layout + w->f->off, text, length < w->f->size ? length : w->f->size);
    } else if (lua_isboolean(c->L, -1)) {
        smc_field_set(w->f, layout, (uint64_t)lua_toboolean(c->L, -1));
    } else {
        smc_field_set(w->f, layout, (uint64_t)luaL_checkinteger(c->L, -1));
    }
    c->changed = true;
    lua_pushboolean(c->L, true);
    lua_setfield(c->L, c->index + 1, w->f->name); /* the table of fields found */
    lua_pop(c->L, 1);
}

/* Fields that no layout of the message has are a mistake of the script; these say something else. */
static bool is_option(const char *name)
{
    static const char *const options[] = {"from", "to",   "nth",  "count", "within", "version", "path",     "link",
                                          "bytes", "by", "of", "conn", "socket", "first_contact_form", NULL};
    for (const char *const *o = options; *o != NULL; o++)
        if (strcmp(*o, name) == 0)
            return true;
    return false;
}

static void check_all_found(lua_State *L, int index, int found, const char *message)
{
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING || is_option(lua_tostring(L, -1)))
            continue;
        if (lua_getfield(L, found, lua_tostring(L, -1)) == LUA_TNIL)
            luaL_error(L, "a %s has no field \"%s\" here (`smclab decode` shows the names)", message, lua_tostring(L, -2));
        lua_pop(L, 1);
    }
}

bool message_edit(lua_State *L, int index, uint8_t *bytes, size_t length)
{
    struct smc_view view = smc_view_of(bytes, length);
    const struct smc_message *message = identify(view);
    struct smc_parsed parsed;
    struct smc_reject why;
    if (message == NULL)
        return false;
    (void)smc_message_parse(message, view, &parsed, &why);
    int top = lua_gettop(L);
    lua_pushvalue(L, index);
    lua_newtable(L);
    struct change c = {.L = L, .index = top + 1, .bytes = bytes};
    smc_message_walk(&parsed, change_field, &c);
    check_all_found(L, top + 1, top + 2, message->title);
    lua_settop(L, top);
    return c.changed;
}

/* ---- making messages ---- */
static size_t encode_llc(lua_State *L, int index, unsigned type, uint8_t *out, size_t room)
{
    struct smc_llc_info info = {.version = (uint8_t)field_number(L, index, "version", 1), .type = (uint8_t)type};
    return smc_llc_encode(&info, out, room);
}

static size_t encode_cdc(uint8_t *out)
{
    struct smc_cdc_fields fields = {.type = SMC_CDC_TYPE, .length = 44};
    smc_cdc_encode(&fields, out);
    return 44;
}

static size_t encode_clc(lua_State *L, int index, const char *name, uint8_t *out, size_t room)
{
    uint8_t version = (uint8_t)field_number(L, index, "version", 1);
    bool d = strcmp(field_text(L, index, "path", "R"), "D") == 0;
    if (strcmp(name, "CLC Decline") == 0) {
        struct smc_clc_decline_info info = {.version = version, .diagnosis = SMC_DIAG_CNFERR, .os_type = SMC_OS_LINUX};
        return smc_clc_encode_decline(&info, out, room);
    }
    if (strcmp(name, "CLC Proposal") == 0) {
        struct smc_clc_proposal_info info = {.version = version, .typev1 = d ? SMC_MODES_D : SMC_MODES_R, .has_ip_area = true,
                                             .has_smcd_area = version > 1 || d, .mask_len = 24, .subnet = 0x0a000000};
        return smc_clc_encode_proposal(&info, out, room);
    }
    struct smc_clc_accept_info info = {.type = strcmp(name, "CLC Accept") == 0 ? SMC_CLC_ACCEPT : SMC_CLC_CONFIRM,
                                       .version = version, .path = d ? SMC_PATH_D : SMC_PATH_R, .rmbe_index = d ? 0 : 1,
                                       .mtu = 3, .has_eid = version > 1};
    return smc_clc_encode_accept(&info, out, room);
}

size_t message_encode(lua_State *L, int index, uint8_t *out, size_t room)
{
    lua_rawgeti(L, index, 1);
    const char *name = luaL_checkstring(L, -1);
    size_t length = 0;
    if (strcmp(name, "CDC") == 0)
        length = encode_cdc(out);
    else if (strncmp(name, "CLC ", 4) == 0)
        length = encode_clc(L, index, name, out, room);
    else
        for (const struct smc_value_name *v = smc_values_llc_type; v->name != NULL; v++)
            if (strcmp(v->name, name) == 0)
                length = encode_llc(L, index, (unsigned)v->value, out, room);
    if (length == 0)
        luaL_error(L, "\"%s\" is no message, or not of that version", name);
    lua_pop(L, 1);
    (void)message_edit(L, index, out, length);
    return length;
}

/* ---- showing ---- */
struct show {
    lua_State *L;
    const uint8_t *base;
};

static void show_field(void *ctx, const struct smc_walk *w)
{
    struct show *s = ctx;
    if (lua_getfield(s->L, -1, w->f->name) != LUA_TNIL || w->f->shown == SMC_SHOW_RSVD) {
        lua_pop(s->L, 1); /* the first of several that share a name */
        return;
    }
    lua_pop(s->L, 1);
    if (w->f->kind == SMC_BYTES)
        lua_pushlstring(s->L, (const char *)w->bytes.p, smc_view_len(w->bytes));
    else if (w->f->shown == SMC_SHOW_FLAG)
        lua_pushboolean(s->L, w->value != 0);
    else
        lua_pushinteger(s->L, (lua_Integer)w->value);
    lua_setfield(s->L, -2, w->f->name);
}

void message_push(lua_State *L, const struct seen *m, const uint8_t *bytes)
{
    struct smc_parsed parsed;
    struct smc_reject why;
    lua_newtable(L);
    if (m->message != NULL) {
        (void)smc_message_parse(m->message, smc_view_of(bytes, m->length), &parsed, &why);
        struct show s = {L, bytes};
        smc_message_walk(&parsed, show_field, &s);
    }
    lua_pushstring(L, m->name);
    lua_setfield(L, -2, "name");
    lua_pushstring(L, m->from);
    lua_setfield(L, -2, "from");
    lua_pushstring(L, m->to);
    lua_setfield(L, -2, "to");
    lua_pushinteger(L, (lua_Integer)m->at_ns);
    lua_setfield(L, -2, "at");
    lua_pushinteger(L, m->data_length);
    lua_setfield(L, -2, "data_length");
    lua_pushinteger(L, (lua_Integer)m->conn);
    lua_setfield(L, -2, "conn");
    lua_pushinteger(L, (lua_Integer)m->frame);
    lua_setfield(L, -2, "frame");
    if (m->link >= 0) {
        lua_pushinteger(L, m->link);
        lua_setfield(L, -2, "link");
    }
    lua_pushlstring(L, (const char *)bytes, m->length);
    lua_setfield(L, -2, "bytes");
}

/* lab.encode { "NAME", … } → bytes */
static int encode(lua_State *L)
{
    uint8_t bytes[MESSAGE_BYTES];
    luaL_checktype(L, 1, LUA_TTABLE);
    size_t length = message_encode(L, 1, bytes, sizeof(bytes));
    lua_pushlstring(L, (const char *)bytes, length);
    return 1;
}

void message_open(lua_State *L)
{
    lua_pushcfunction(L, encode);
    lua_setfield(L, -2, "encode");
}
