/* --batch for lists of layers with convolutions. */
#include "input/workload_fixture.h"

#include <criterion/criterion.h>

#include <string.h>

#define NETWORK(images_1, images_2, fc_m)                                                                    \
    "{\"layers\": [\n"                                                                                       \
    "{\"name\": \"c1\", \"op\": \"conv2d\", \"images\": " images_1                                           \
    ", \"h_in\": 6, \"w_in\": 5, \"c_in\": 4, "                                                              \
    "\"c_out\": 8, \"kernel_h\": 3, \"kernel_w\": 2},\n"                                                     \
    "{\"name\": \"act\", \"op\": \"elementwise\", \"m\": 32, \"n\": 8},\n"                                   \
    "{\"name\": \"c2\", \"op\": \"conv2d\", \"images\": " images_2                                           \
    ", \"h_in\": 4, \"w_in\": 4, \"c_in\": 8, "                                                              \
    "\"c_out\": 8, \"kernel_h\": 4, \"kernel_w\": 4, \"groups\": 8},\n"                                      \
    "{\"name\": \"qk\", \"op\": \"matmul\", \"m\": 7, \"n\": 7, \"k\": 8, \"batch\": 6, \"weights\": "       \
    "\"dynamic\"},\n"                                                                                        \
    "{\"name\": \"fc\", \"op\": \"matmul\", \"m\": " fc_m ", \"n\": 10, \"k\": 8, \"repeat\": 2}]}"

Test(workload, batch_overrides_images)
{
    static const struct {
        int64_t batch, images;
    } cases[] = {{0, 2}, {2, 2}, {1, 1}, {6, 6}, {7, 7}, {1000000, 1000000}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int64_t images = cases[i].images;
        const sim_workload_request request = {.batch = cases[i].batch};
        workload_fixture f;
        const sim_layer *l;

        workload_read_for(&f, NETWORK("2", "2", "2"), "dir/w.json", &request);
        cr_assert_eq(f.status, SIM_OK, "%s", f.err.items[0].text);
        cr_expect_eq(f.workload.batch, images);
        l = f.workload.layers;
        workload_check_shape(&l[0], SIM_OP_CONV2D, images * 4 * 4, 8, 3 * 2 * 4, 1, 1);
        cr_expect_eq(l[0].conv.images, images);
        workload_check_shape(&l[1], SIM_OP_ELEMENTWISE, images * 16, 8, 0, 1, 1);
        workload_check_shape(&l[2], SIM_OP_CONV2D, images, 1, 16, 8, 1);
        cr_expect_eq(l[2].conv.images, images);
        workload_check_shape(&l[3], SIM_OP_MATMUL, 7, 7, 8, images * 3, 1); /* images share no operand */
        workload_check_shape(&l[4], SIM_OP_MATMUL, images, 10, 8, 1, 2);
        sim_arena_free(&f.arena);
    }
}

Test(workload, batch_of_what_cannot_be_scaled)
{
    const sim_workload_request request = {.batch = 4};
    workload_fixture f;

    workload_read_for(&f, NETWORK("2", "3", "2"), "dir/w.json", &request);
    cr_expect_eq(f.status, SIM_BAD_INPUT);
    workload_check_error(
        &f, 0, 4, "--batch needs one number of images in all conv2d layers; 'c1' has 2, 'c2' has 3", "");
    cr_expect_eq(f.err.count, 1);
    sim_arena_free(&f.arena);
    workload_read_for(&f, NETWORK("4", "4", "2"), "dir/w.json", &request);
    cr_expect_eq(f.status, SIM_BAD_INPUT);
    workload_check_error(
        &f, 0, 5,
        "--batch cannot scale layer 'qk': its 'batch' is 6, no multiple of the 4 images of the conv2d "
        "layers",
        "");
    workload_check_error(
        &f, 1, 6,
        "--batch cannot scale layer 'fc': its 'm' is 2, no multiple of the 4 images of the conv2d layers",
        "");
    cr_expect_eq(f.err.count, 2);
    sim_arena_free(&f.arena);
    /* without --batch the same files are fine; where images differ there is no one batch */
    workload_read_text(&f, NETWORK("2", "3", "2"));
    cr_expect_eq(f.status, SIM_OK);
    cr_expect_eq(f.workload.batch, 0);
    sim_arena_free(&f.arena);
    workload_read_text(
        &f, "{\"layers\": [{\"name\": \"fc\", \"op\": \"matmul\", \"m\": 1, \"n\": 1, \"k\": 1}]}");
    cr_expect_eq(f.workload.batch, 0);
    sim_arena_free(&f.arena);
}

/* c1 has the most work: 16 * 8 * 24 multiply-accumulates an image, against 16 * 8 elements, 8 * 16, 3 * 7 * 7
 * * 8 and 2 * 10 * 8. */
Test(workload, batch_up_to_63_bits)
{
    const int64_t most = INT64_MAX / (16 * 8 * 24);
    const sim_workload_request fits = {.batch = most}, too_many = {.batch = most + 1};
    workload_fixture f;

    workload_read_for(&f, NETWORK("1", "1", "1"), "dir/w.json", &fits);
    cr_expect_eq(f.status, SIM_OK, "%s", f.err.items[0].text);
    sim_arena_free(&f.arena);
    workload_read_for(&f, NETWORK("1", "1", "1"), "dir/w.json", &too_many);
    cr_expect_eq(f.status, SIM_OVERFLOW);
    cr_expect(strstr(f.err.items[0].text, "the work of layer 'c1' at --batch"), "%s", f.err.items[0].text);
    cr_expect_eq(f.err.count, 1);
    sim_arena_free(&f.arena);
}
