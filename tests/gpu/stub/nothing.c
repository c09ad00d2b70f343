/* A library that is no plug-in of simacc. */
int stub_nothing(void);

int stub_nothing(void)
{
    return 0;
}
