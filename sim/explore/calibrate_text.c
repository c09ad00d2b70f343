/* A calibration as a file: what input/calib.h reads. */
#include "explore/calibrate.h"

#include "base/version.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Five digits are more than any fit knows. */
static double rounded(double value)
{
    double scale;

    if (value == 0 || !isfinite(value))
        return value;
    scale = pow(10, 4 - floor(log10(fabs(value))));
    return round(value * scale) / scale;
}

/* libconfig tells a real by its point. */
static void put_number(sim_text *out, double value)
{
    size_t from = out->length;

    sim_text_real(out, rounded(value));
    if (!out->failed && !strpbrk(out->data + from, ".e"))
        sim_text_add(out, ".0");
}

static void put_real_at(sim_text *out, const char *indent, const char *key, double value)
{
    sim_text_printf(out, "%s%s = ", indent, key);
    put_number(out, value);
    sim_text_add(out, ";\n");
}

/* Of a kernel. */
static void put_real(sim_text *out, const char *key, double value)
{
    put_real_at(out, "            ", key, value);
}

static void put_quoted(sim_text *out, const char *text)
{
    sim_text_add(out, "\"");
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            sim_text_add(out, "\\");
        sim_text_bytes(out, iscntrl((unsigned char)*text) ? " " : text, 1);
    }
    sim_text_add(out, "\"");
}

static void put_text(sim_text *out, const char *indent, const char *key, const char *text)
{
    sim_text_printf(out, "%s%s = ", indent, key);
    put_quoted(out, text);
    sim_text_add(out, ";\n");
}

/* "gemm_w8a8_cutlass", "_sustained" behind it; the place makes it unique where letters alone would not. */
static void put_name(sim_text *out, const sim_gpu_calibration *c, int64_t at)
{
    const sim_gpu_kernel *k = &c->kernels[at];
    bool plain = true;

    sim_text_add(out, sim_gpu_kernel_names[k->kind]);
    if (*k->impl)
        sim_text_add(out, "_");
    for (const char *p = k->impl; *p; p++) {
        bool fits =
            (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || *p == '_';

        plain &= fits;
        sim_text_bytes(out, fits ? p : "_", 1);
    }
    if (k->regime == SIM_REGIME_SUSTAINED)
        sim_text_add(out, "_sustained");
    if (!plain)
        sim_text_printf(out, "_%lld", (long long)at);
}

static void put_residuals(sim_text *out, const sim_gpu_kernel *k)
{
    enum { PER_LINE = 4 };

    if (k->residual_count == 0)
        return;
    sim_text_add(out, "            residuals = (");
    for (int64_t i = 0; i < k->residual_count; i++) {
        const sim_gpu_residual *r = &k->residuals[i];

        sim_text_printf(out, "%s%s(%lld, %lld, %lld, ", i ? "," : "",
                        i % PER_LINE ? " " : "\n                ", (long long)r->n, (long long)r->k,
                        (long long)r->m);
        put_number(out, round(r->log_ratio * 1e4) / 1e4);
        sim_text_add(out, ")");
    }
    sim_text_add(out, ");\n");
    put_real(out, "residual_weight_frac", k->residual_weight_frac);
}

static void put_kernel(sim_text *out, const sim_calibration_fit *fit, int64_t at)
{
    const sim_gpu_kernel *k = &fit->calibration.kernels[at];
    bool gemm = sim_gpu_kernel_is_gemm(k->kind);
    bool open = false;

    sim_text_add(out, "        ");
    put_name(out, &fit->calibration, at);
    sim_text_add(out, " = {\n");
    put_text(out, "            ", "kernel", sim_gpu_kernel_names[k->kind]);
    if (*k->impl)
        put_text(out, "            ", "impl", k->impl);
    put_text(out, "            ", "regime", sim_gpu_regime_names[k->regime]);
    if (k->dispatch == SIM_DISPATCH_HOST)
        put_text(out, "            ", "dispatch", sim_gpu_dispatch_names[k->dispatch]);
    sim_text_printf(out, "            default = %s;\n", k->is_default ? "true" : "false");
    for (int i = 0; i < SIM_GPU_PARAMETERS; i++)
        if (gemm || i == SIM_GPU_C || (i == SIM_GPU_EM && k->kind != SIM_KERNEL_EMPTY))
            put_real(out, sim_gpu_parameter_names[i], k->parameter[i]);
    if (k->floor_us > 0)
        put_real(out, "floor_us", k->floor_us);
    if (k->row_us > 0)
        put_real(out, "row_us", k->row_us);
    if (gemm) {
        put_real(out, "tau_us", k->tau_us);
        sim_text_printf(out, "            k_step = %lld;\n", (long long)k->k_step);
        sim_text_printf(out, "            occupancy_least = %d;\n            occupancy_most = %d;\n",
                        k->occupancy_least, k->occupancy_most);
        put_real(out, "dequant_frac", k->dequant_frac);
        sim_text_add(out, "            tiles = (");
        for (int i = 0; i < k->tile_count; i++)
            sim_text_printf(out, "%s(%d, %d)", i ? ", " : "", k->tiles[i].rows, k->tiles[i].cols);
        sim_text_add(out, ");\n");
        put_residuals(out, k);
    }
    for (int i = 0; i < SIM_GPU_PARAMETERS; i++) {
        if (!k->from_prior[i])
            continue;
        sim_text_printf(out, "%s\"%s\"", open ? ", " : "            from_prior = [",
                        sim_gpu_parameter_names[i]);
        open = true;
    }
    if (open)
        sim_text_add(out, "];\n");
    sim_text_printf(out, "            rows = %lld;\n            groups = %lld;\n", (long long)k->rows,
                    (long long)k->groups);
    if (isfinite(k->mape_pct))
        put_real(out, "mape_pct", k->mape_pct);
    if (isfinite(k->held_out_mape_pct))
        put_real(out, "held_out_mape_pct", k->held_out_mape_pct);
    if (k->clock_mhz > 0)
        put_real(out, "clock_mhz", k->clock_mhz);
    put_text(out, "            ", "source", k->source);
    sim_text_add(out, "        };\n");
}

static void put_step(sim_text *out, const sim_gpu_step *step)
{
    static const char indent[] = "        ";

    sim_text_add(out, "    step = {\n");
    put_text(out, indent, "impl", step->impl);
    put_text(out, indent, "attention", sim_gpu_attention_names[step->attention]);
    put_real_at(out, indent, "t0_us", step->t0_us);
    for (int i = 0; i < SIM_GPU_MATHS; i++) {
        char key[64];

        snprintf(key, sizeof key, "attention_%s_es", sim_gpu_math_names[i]);
        if (step->attention_es[i] > 0)
            put_real_at(out, indent, key, step->attention_es[i]);
        snprintf(key, sizeof key, "%s_mac_fj", sim_gpu_math_names[i]);
        if (step->mac_fj[i] > 0)
            put_real_at(out, indent, key, step->mac_fj[i]);
    }
    sim_text_printf(out, "%srows = %lld;\n%sgroups = %lld;\n", indent, (long long)step->rows, indent,
                    (long long)step->groups);
    if (isfinite(step->mape_pct))
        put_real_at(out, indent, "mape_pct", step->mape_pct);
    if (isfinite(step->held_out_mape_pct))
        put_real_at(out, indent, "held_out_mape_pct", step->held_out_mape_pct);
    put_text(out, indent, "source", step->source);
    sim_text_add(out, "    };\n");
}

void sim_calibration_text(const sim_calibration_fit *fit, sim_text *out)
{
    const sim_gpu_calibration *c = &fit->calibration;

    sim_text_printf(out, "# Written by simacc " SIMACC_VERSION " calibrate from %lld rows of ",
                    (long long)fit->rows);
    for (const char *p = fit->measured_file; *p; p++)
        sim_text_bytes(out, iscntrl((unsigned char)*p) ? "?" : p, 1);
    sim_text_add(out, " for the arch ");
    for (const char *p = fit->arch_name; *p; p++)
        sim_text_bytes(out, iscntrl((unsigned char)*p) ? "?" : p, 1);
    sim_text_add(out, ".\n# Do not edit: measure and calibrate again.\n");
    sim_text_add(out, "calibration = {\n");
    put_text(out, "    ", "name", c->name);
    put_text(out, "    ", "gpu", c->gpu);
    put_text(out, "    ", "source", c->source);
    sim_text_add(out, "    arch_clock_mhz = ");
    put_number(out, c->arch_clock_mhz);
    sim_text_add(out, ";\n    kernels = {\n");
    for (int64_t i = 0; i < c->kernel_count; i++)
        put_kernel(out, fit, i);
    sim_text_add(out, "    };\n");
    if (c->step)
        put_step(out, c->step);
    sim_text_add(out, "};\n");
}
