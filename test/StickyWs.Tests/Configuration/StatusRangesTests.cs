using StickyWs.Configuration;

namespace StickyWs.Tests.Configuration;

public sealed class StatusRangesTests
{
    [Theory]
    [InlineData("200-299", 200, true)]
    [InlineData("200-299", 299, true)]
    [InlineData("200-299", 199, false)]
    [InlineData("200-299", 300, false)]
    [InlineData("200, 204 , 300-399", 204, true)]
    [InlineData("200, 204 , 300-399", 203, false)]
    [InlineData("200, 204 , 300-399", 399, true)]
    [InlineData("599", 599, true)]
    public void Contains_Status_IsJudgedByTheRanges(string text, int status, bool expected)
    {
        Assert.True(StatusRanges.TryParse(text, out var ranges));
        Assert.Equal(expected, ranges.Contains(status));
    }

    [Theory]
    [InlineData("")]
    [InlineData(",")]
    [InlineData("200,")]
    [InlineData("200-")]
    [InlineData("-299")]
    [InlineData("200-204-299")]
    [InlineData("299-200")]
    [InlineData("99")]
    [InlineData("600")]
    [InlineData("+200")]
    public void TryParse_NotAListOfStatuses_IsRefused(string text) => Assert.False(StatusRanges.TryParse(text, out _));
}
