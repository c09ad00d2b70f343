/* A library that is no plug-in of simacc. */
int fake_nothing(void);

int fake_nothing(void)
{
    return 0;
}
