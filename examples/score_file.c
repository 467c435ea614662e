/* score_file.c: scores one picture with the model inside the library.
 *
 *     cc score_file.c $(pkg-config --cflags --libs qboost) -o score_file && ./score_file photo.jpg
 */
#include <qboost/qboost.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s PICTURE\n", argv[0]);
        return 2;
    }
    QbModel *model = NULL;
    QbScorer *scorer = NULL;
    QbImage *image = NULL;
    QbScore score;
    QbStatus status = qb_model_open(&model, NULL, NULL); /* NULL: the embedded model */
    if (!status)
        status = qb_scorer_new(&scorer, model, NULL);
    if (!status)
        status = qb_image_open(&image, argv[1], NULL);
    if (!status)
        status = qb_scorer_score_image(&score, scorer, image);
    if (status)
        fprintf(stderr, "%s: %s\n", qb_status_name(status), qb_last_error());
    else
        printf("%.4f  %s\n", score.score, argv[1]);
    qb_image_free(&image);
    qb_scorer_free(&scorer);
    qb_model_close(&model);
    return status ? 1 : 0;
}
