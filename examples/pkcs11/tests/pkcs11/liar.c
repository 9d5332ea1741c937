/* A PKCS#11 module in front of another, LIAR_MODULE. It answers as that one does, but for one function, and there as
   LIAR_SAYS tells: "sign:short", "sign:flip", "value:short", "value:flip", or "sign", "derive" or "decapsulate" and a
   return code, as in "derive:0x30"; "flag" or "unknown" and an attribute, as in "flag:0x103", which is then the opposite
   or unknown; or "generate:rival", where somebody else makes a key of the same name at the same time. */

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long Number;

/* CK_FUNCTION_LIST and its successors: pointers, whose number depends on the version. */
typedef struct {
  unsigned char version[2];
  void *functions[128];
} List;
typedef struct {
  char *name;
  void *list;
  Number flags;
} Interface;
typedef struct {
  Number type;
  unsigned char *value;
  Number len;
} Attribute;

/* Where they are in the list. */
enum { GET_ATTRIBUTE_VALUE = 24, SIGN = 43, GENERATE_KEY_PAIR = 59, DERIVE_KEY = 62, V2_40 = 68, DECAPSULATE_KEY = 93, V3_2 = 104 };

static const List *real;
static List ours;
static Interface interface;

static int says(const char *lie) {
  const char *said = getenv("LIAR_SAYS");
  return said && strcmp(said, lie) == 0;
}

/* The code that this function has to return, or 0. */
static Number code(const char *function) {
  const char *said = getenv("LIAR_SAYS");
  size_t len = strlen(function);
  return said && strncmp(said, function, len) == 0 ? strtoul(said + len, NULL, 16) : 0;
}

static void change(int is_short, unsigned char *value, Number *len) {
  if (!value || *len == 0 || *len == (Number)-1) return;
  if (is_short) --*len;
  else value[*len - 1] ^= 1;
}

static Number get_attribute_value(Number session, Number object, Attribute *attributes, Number count) {
  Number (*get)(Number, Number, Attribute *, Number) = real->functions[GET_ATTRIBUTE_VALUE];
  Number result = get(session, object, attributes, count);
  for (Number i = 0; result == 0 && i < count; i++)
    if (attributes[i].type == 0x11 && (says("value:short") || says("value:flip")))
      change(says("value:short"), attributes[i].value, &attributes[i].len);
  for (Number i = 0; i < count; i++) {
    if (result == 0 && attributes[i].type == code("flag:0x")) change(0, attributes[i].value, &attributes[i].len);
    if (attributes[i].type == code("unknown:0x")) {
      attributes[i].len = (Number)-1;
      result = 0x12; /* CKR_ATTRIBUTE_TYPE_INVALID */
    }
  }
  return result;
}

static Number sign(Number session, void *data, Number len, unsigned char *signature, Number *signature_len) {
  Number (*sign)(Number, void *, Number, unsigned char *, Number *) = real->functions[SIGN];
  if (code("sign:0x")) return code("sign:0x");
  Number result = sign(session, data, len, signature, signature_len);
  if (result == 0 && (says("sign:short") || says("sign:flip"))) change(says("sign:short"), signature, signature_len);
  return result;
}

static Number generate_key_pair(Number session, void *mechanism, void *public_template, Number public_count,
                                void *private_template, Number private_count, Number *public, Number *private) {
  Number (*generate)(Number, void *, void *, Number, void *, Number, Number *, Number *) =
      real->functions[GENERATE_KEY_PAIR];
  if (says("generate:rival")) {
    Number result = generate(session, mechanism, public_template, public_count, private_template, private_count,
                             public, private);
    if (result != 0) return result;
  }
  return generate(session, mechanism, public_template, public_count, private_template, private_count, public, private);
}

static Number derive_key(Number session, void *mechanism, Number key, void *template, Number count, Number *derived) {
  Number (*derive)(Number, void *, Number, void *, Number, Number *) = real->functions[DERIVE_KEY];
  return code("derive:0x") ? code("derive:0x") : derive(session, mechanism, key, template, count, derived);
}

static Number decapsulate_key(Number session, void *mechanism, Number key, void *template, Number count,
                              void *ciphertext, Number len, Number *secret) {
  Number (*decapsulate)(Number, void *, Number, void *, Number, void *, Number, Number *) =
      real->functions[DECAPSULATE_KEY];
  return code("decapsulate:0x") ? code("decapsulate:0x")
                                : decapsulate(session, mechanism, key, template, count, ciphertext, len, secret);
}

/* A list of `count` functions with lies in it. */
static void wrap(const List *list, Number count) {
  real = list;
  memcpy(&ours, list, sizeof(void *) * (count + 1));
  ours.functions[GET_ATTRIBUTE_VALUE] = get_attribute_value;
  ours.functions[SIGN] = sign;
  ours.functions[GENERATE_KEY_PAIR] = generate_key_pair;
  ours.functions[DERIVE_KEY] = derive_key;
  if (count == V3_2) ours.functions[DECAPSULATE_KEY] = decapsulate_key;
}

static void *of_module(const char *name) {
  void *module = dlopen(getenv("LIAR_MODULE"), RTLD_NOW);
  return module ? dlsym(module, name) : NULL;
}

Number C_GetFunctionList(List **list) {
  Number (*get)(const List **) = of_module("C_GetFunctionList");
  const List *found;
  if (!get || get(&found) != 0) return 5; /* CKR_GENERAL_ERROR */
  wrap(found, V2_40);
  *list = &ours;
  return 0;
}

Number C_GetInterface(void *name, void *version, Interface **found, Number flags) {
  Number (*get)(void *, void *, Interface **, Number) = of_module("C_GetInterface");
  *found = NULL;
  if (!get) return 0; /* a module of version 2 */
  Number result = get(name, version, found, flags);
  if (result != 0 || !*found) return result;
  interface = **found;
  wrap(interface.list, V3_2);
  interface.list = &ours;
  *found = &interface;
  return 0;
}
