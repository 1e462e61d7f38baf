/* A BPF program, written down as instructions, that puts the SMC option into SYN and SYN-ACK and looks for the peer's.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conformance/agent/stack/option.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A socket says by its mark that it wants the option; the program answers by the mark, too. */
enum { MARK_WANTED = 0x534d4301, MARK_AGREED = 0x534d4302, SYN = 2, OPTION_BYTES = 6, RESERVED = 8 };

/* Where the program keeps things on its stack: the option to look for or to write, and a mark. */
enum { OPTION_AT = -8, MARK_AT = -16 };

#define INSN(c, d, s, o, i) ((struct bpf_insn){.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (int32_t)(i)})
#define MOV_IMM(r, i)       INSN(BPF_ALU64 | BPF_MOV | BPF_K, r, 0, 0, i)
#define MOV(r, s)           INSN(BPF_ALU64 | BPF_MOV | BPF_X, r, s, 0, 0)
#define ADD_IMM(r, i)       INSN(BPF_ALU64 | BPF_ADD | BPF_K, r, 0, 0, i)
#define AND_IMM(r, i)       INSN(BPF_ALU64 | BPF_AND | BPF_K, r, 0, 0, i)
#define LOAD_CTX(r, field)  INSN(BPF_LDX | BPF_MEM | BPF_W, r, BPF_REG_6, offsetof(struct bpf_sock_ops, field), 0)
#define LOAD_W(r, o)        INSN(BPF_LDX | BPF_MEM | BPF_W, r, BPF_REG_10, o, 0)
#define STORE_W(o, i)       INSN(BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, o, i)
#define CALL(f)             INSN(BPF_JMP | BPF_CALL, 0, 0, 0, f)
#define JUMP(o)             INSN(BPF_JMP | BPF_JA, 0, 0, o, 0)
#define IF_EQ(r, i, o)      INSN(BPF_JMP | BPF_JEQ | BPF_K, r, 0, o, i)
#define IF_NE(r, i, o)      INSN(BPF_JMP | BPF_JNE | BPF_K, r, 0, o, i)
#define IF_NEGATIVE(r, o)   INSN(BPF_JMP | BPF_JSLT | BPF_K, r, 0, o, 0)
#define END                 INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

/* Kind 254, length 6, then the four bytes e2 d4 c3 d9 ("SMCR" in EBCDIC): as words of a little-endian machine. */
#define OPTION_WORD_0 0xd4e206feu
#define OPTION_WORD_1 0x0000d9c3u

enum { ROOM = 160 };

struct program {
    struct bpf_insn code[ROOM];
    unsigned count;
    unsigned to_end[32], ends; /* jumps whose target is the end */
};

static void emit(struct program *p, struct bpf_insn insn)
{
    p->code[p->count++] = insn;
}

/* Leaves the program if the condition that `insn` jumps on holds. */
static void leave_if(struct program *p, struct bpf_insn insn)
{
    p->to_end[p->ends++] = p->count;
    emit(p, insn);
}

/* Starts a part that runs if the operation is `op`; end_part() closes it. */
static unsigned begin_part(struct program *p, int op)
{
    emit(p, IF_NE(BPF_REG_7, op, 0));
    return p->count;
}

static void end_part(struct program *p, unsigned from)
{
    leave_if(p, JUMP(0));
    p->code[from - 1].off = (int16_t)(p->count - from);
}

static void sockopt(struct program *p, int function)
{
    emit(p, MOV(BPF_REG_1, BPF_REG_6));
    emit(p, MOV_IMM(BPF_REG_2, SOL_SOCKET));
    emit(p, MOV_IMM(BPF_REG_3, SO_MARK));
    emit(p, MOV(BPF_REG_4, BPF_REG_10));
    emit(p, ADD_IMM(BPF_REG_4, MARK_AT));
    emit(p, MOV_IMM(BPF_REG_5, 4));
    emit(p, CALL(function));
}

/* Only sockets that want the option. */
static void only_marked(struct program *p)
{
    emit(p, STORE_W(MARK_AT, 0));
    sockopt(p, BPF_FUNC_getsockopt);
    emit(p, LOAD_W(BPF_REG_8, MARK_AT));
    leave_if(p, IF_NE(BPF_REG_8, MARK_WANTED, 0));
}

static void ask_for_headers(struct program *p)
{
    emit(p, MOV(BPF_REG_1, BPF_REG_6));
    emit(p, MOV_IMM(BPF_REG_2, BPF_SOCK_OPS_WRITE_HDR_OPT_CB_FLAG));
    emit(p, CALL(BPF_FUNC_sock_ops_cb_flags_set));
}

static void put_option(struct program *p)
{
    emit(p, STORE_W(OPTION_AT, OPTION_WORD_0));
    emit(p, STORE_W(OPTION_AT + 4, OPTION_WORD_1));
}

/* r0 < 0: the segment at hand (or the SYN) does not have it. */
static void look_for_option(struct program *p, int flags)
{
    put_option(p);
    emit(p, MOV(BPF_REG_1, BPF_REG_6));
    emit(p, MOV(BPF_REG_2, BPF_REG_10));
    emit(p, ADD_IMM(BPF_REG_2, OPTION_AT));
    emit(p, MOV_IMM(BPF_REG_3, OPTION_BYTES));
    emit(p, MOV_IMM(BPF_REG_4, flags));
    emit(p, CALL(BPF_FUNC_load_hdr_opt));
}

/* A SYN-ACK answers a SYN that had the option; other segments carry none. */
static void only_syn(struct program *p)
{
    enum { ACK = 0x10 };
    emit(p, LOAD_CTX(BPF_REG_8, skb_tcp_flags));
    emit(p, MOV(BPF_REG_9, BPF_REG_8));
    emit(p, AND_IMM(BPF_REG_9, SYN));
    leave_if(p, IF_EQ(BPF_REG_9, 0, 0));
    emit(p, AND_IMM(BPF_REG_8, ACK));
    unsigned from = p->count;
    emit(p, IF_EQ(BPF_REG_8, 0, 0));
    look_for_option(p, BPF_LOAD_HDR_OPT_TCP_SYN);
    leave_if(p, IF_NEGATIVE(BPF_REG_0, 0));
    p->code[from].off = (int16_t)(p->count - from - 1);
}

static void mark_agreed(struct program *p)
{
    emit(p, STORE_W(MARK_AT, MARK_AGREED));
    sockopt(p, BPF_FUNC_setsockopt);
}

static void part_start(struct program *p, int op)
{
    unsigned from = begin_part(p, op);
    only_marked(p);
    ask_for_headers(p);
    end_part(p, from);
}

static void part_established(struct program *p, int op, int flags)
{
    unsigned from = begin_part(p, op);
    only_marked(p);
    look_for_option(p, flags);
    leave_if(p, IF_NEGATIVE(BPF_REG_0, 0));
    mark_agreed(p);
    end_part(p, from);
}

static void part_room(struct program *p)
{
    unsigned from = begin_part(p, BPF_SOCK_OPS_HDR_OPT_LEN_CB);
    only_syn(p);
    emit(p, MOV(BPF_REG_1, BPF_REG_6));
    emit(p, MOV_IMM(BPF_REG_2, RESERVED));
    emit(p, MOV_IMM(BPF_REG_3, 0));
    emit(p, CALL(BPF_FUNC_reserve_hdr_opt));
    end_part(p, from);
}

static void part_write(struct program *p)
{
    unsigned from = begin_part(p, BPF_SOCK_OPS_WRITE_HDR_OPT_CB);
    only_syn(p);
    put_option(p);
    emit(p, MOV(BPF_REG_1, BPF_REG_6));
    emit(p, MOV(BPF_REG_2, BPF_REG_10));
    emit(p, ADD_IMM(BPF_REG_2, OPTION_AT));
    emit(p, MOV_IMM(BPF_REG_3, OPTION_BYTES));
    emit(p, MOV_IMM(BPF_REG_4, 0));
    emit(p, CALL(BPF_FUNC_store_hdr_opt));
    end_part(p, from);
}

static void assemble(struct program *p)
{
    memset(p, 0, sizeof(*p));
    emit(p, MOV(BPF_REG_6, BPF_REG_1));
    emit(p, LOAD_CTX(BPF_REG_7, op));
    part_start(p, BPF_SOCK_OPS_TCP_CONNECT_CB);
    part_start(p, BPF_SOCK_OPS_TCP_LISTEN_CB);
    part_room(p);
    part_write(p);
    part_established(p, BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB, 0);
    part_established(p, BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB, BPF_LOAD_HDR_OPT_TCP_SYN);
    for (unsigned i = 0; i < p->ends; i++)
        p->code[p->to_end[i]].off = (int16_t)(p->count - p->to_end[i] - 1);
    emit(p, MOV_IMM(BPF_REG_0, 1));
    emit(p, END);
}

/* ---- to the kernel ---- */

static int attached_to = -1, attached;

static int bpf(int command, union bpf_attr *attr)
{
    return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int load(char *log, uint32_t log_bytes)
{
    struct program p;
    union bpf_attr attr;
    assemble(&p);
    memset(&attr, 0, sizeof(attr));
    attr.prog_type = BPF_PROG_TYPE_SOCK_OPS;
    attr.insns = (uintptr_t)p.code;
    attr.insn_cnt = p.count;
    attr.license = (uintptr_t) "Dual BSD/GPL"; /* some helpers ask for it */
    attr.log_buf = (uintptr_t)log;
    attr.log_size = log != NULL ? log_bytes : 0;
    attr.log_level = log != NULL;
    return bpf(BPF_PROG_LOAD, &attr);
}

int option_attach(const char *cgroup, char *log, uint32_t log_bytes)
{
    union bpf_attr attr;
    int program = load(log, log_bytes);
    if (program < 0)
        return -1;
    attached_to = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    memset(&attr, 0, sizeof(attr));
    attr.target_fd = (uint32_t)attached_to;
    attr.attach_bpf_fd = (uint32_t)program;
    attr.attach_type = BPF_CGROUP_SOCK_OPS;
    attr.attach_flags = BPF_F_ALLOW_MULTI;
    if (attached_to < 0 || bpf(BPF_PROG_ATTACH, &attr) != 0) {
        int why = errno;
        close(program);
        if (attached_to >= 0)
            close(attached_to);
        attached_to = -1;
        errno = why;
        return -1;
    }
    attached = program;
    return 0;
}

void option_detach(void)
{
    union bpf_attr attr;
    if (attached_to < 0)
        return;
    memset(&attr, 0, sizeof(attr));
    attr.target_fd = (uint32_t)attached_to;
    attr.attach_bpf_fd = (uint32_t)attached;
    attr.attach_type = BPF_CGROUP_SOCK_OPS;
    (void)bpf(BPF_PROG_DETACH, &attr);
    close(attached);
    close(attached_to);
    attached_to = -1;
}

int option_prepare(void *user, int fd, bool listener)
{
    const int wanted = MARK_WANTED, on = 1;
    (void)user;
    if (listener && setsockopt(fd, IPPROTO_TCP, TCP_SAVE_SYN, &on, sizeof(on)) != 0)
        return -1;
    return setsockopt(fd, SOL_SOCKET, SO_MARK, &wanted, sizeof(wanted));
}

bool option_agreed(void *user, int fd, bool client)
{
    int mark = 0;
    socklen_t length = sizeof(mark);
    (void)user;
    (void)client;
    return getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &length) == 0 && mark == MARK_AGREED;
}
