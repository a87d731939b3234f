"""Pages of `limit` entries; `offset` is the number of the page."""

from rest_framework.pagination import LimitOffsetPagination
from rest_framework.utils.urls import remove_query_param, replace_query_param


class Pages(LimitOffsetPagination):
    """`?limit=50&offset=2` is entries 100 to 150."""

    default_limit = 100
    max_limit = 1000

    def get_offset(self, request):
        self.page = super().get_offset(request)
        return self.page * self.get_limit(request)

    def get_next_link(self):
        return self.link(self.page + 1) if self.offset + self.limit < self.count else None

    def get_previous_link(self):
        return self.link(self.page - 1) if self.page > 0 else None

    def link(self, page):
        url = replace_query_param(self.request.build_absolute_uri(), "limit", self.limit)
        return replace_query_param(url, "offset", page) if page else remove_query_param(url, "offset")
